#include "delegate/cpu/kernels/shuffle/reference.h"

#include <gtest/gtest.h>

#include <vector>

namespace mcpruner {
namespace {

TEST(ShuffleReferenceTest, DealsChannelsOutInTurn) {
  const std::vector<float> x{0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15};
  std::vector<float> y(12);
  ShuffleReference({2}, {1, 1, 2, 6}, x.data(), y.data());
  EXPECT_EQ(y, (std::vector<float>{0, 3, 1, 4, 2, 5, 10, 13, 11, 14, 12, 15}));
  ShuffleReference({3}, {2, 1, 1, 6}, x.data(), y.data());
  EXPECT_EQ(y, (std::vector<float>{0, 2, 4, 1, 3, 5, 10, 12, 14, 11, 13, 15}));
  ShuffleReference({1}, {1, 1, 1, 12}, x.data(), y.data());
  EXPECT_EQ(y, x);
}

}  // namespace
}  // namespace mcpruner
