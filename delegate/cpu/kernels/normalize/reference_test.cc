#include "delegate/cpu/kernels/normalize/reference.h"

#include <gtest/gtest.h>

#include <vector>

namespace mcpruner {
namespace {

std::vector<float> Normalize(const NormalizeParams& params, const Shape& shape, const std::vector<float>& x,
                             const std::vector<float>& scale, const std::vector<float>& shift) {
  std::vector<float> y(x.size());
  NormalizeReference(params, shape, x.data(), scale.data(), shift.data(), y.data());
  return y;
}

TEST(NormalizeReferenceTest, EachPixelOverItsChannels) {
  // The first pixel has mean 2 and variance 1, the second one mean 10 and variance 4.
  EXPECT_EQ(Normalize({false, 2, 0.0f}, {1, 1, 2, 2}, {1, 3, 12, 8}, {10, 100}, {0, 1}),
            (std::vector<float>{-10, 101, 10, -99}));
}

TEST(NormalizeReferenceTest, EachChannelOverItsMap) {
  EXPECT_EQ(Normalize({true, 1, 0.0f}, {2, 1, 2, 2}, {1, 12, 3, 8, 0, 0, 4, 2}, {1, 1}, {0, 0}),
            (std::vector<float>{-1, 1, 1, -1, -1, -1, 1, 1}));
}

TEST(NormalizeReferenceTest, GroupsOfChannelsOverTheirMap) {
  // Channels 0 and 1 have mean 3 and variance 4; channels 2 and 3 are all alike.
  EXPECT_EQ(Normalize({true, 2, 0.0f}, {1, 2, 1, 2}, {1, 5, 5, 1}, {1, 2}, {0, 0}), (std::vector<float>{-1, 2, 1, -2}));
  EXPECT_EQ(Normalize({true, 2, 1.0f}, {1, 1, 1, 4}, {0, 0, 7, 7}, {1, 1, 1, 1}, {1, 2, 3, 4}),
            (std::vector<float>{1, 2, 3, 4}));
}

TEST(NormalizeReferenceTest, EpsilonIsPartOfTheVariance) {
  EXPECT_EQ(Normalize({false, 2, 3.0f}, {1, 1, 1, 2}, {1, 3}, {1, 1}, {0, 0}), (std::vector<float>{-0.5f, 0.5f}));
}

}  // namespace
}  // namespace mcpruner
