#include "delegate/cpu/kernels/strided_slice/reference.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace mcpruner {
namespace {

// Slices 0, 1, 2, ... in NHWC order.
std::vector<float> Slice(const Shape& in, const StridedSliceParams& p) {
  std::vector<float> x(static_cast<size_t>(in.size()));
  std::iota(x.begin(), x.end(), 0.0f);
  std::vector<float> y(static_cast<size_t>(p.size[0] * p.size[1] * p.size[2] * p.size[3]));
  StridedSliceReference(p, in, x.data(), y.data());
  return y;
}

TEST(StridedSliceReferenceTest, TakesEverySecondPixelAsTheShortcutOfAResNetDoes) {
  EXPECT_EQ(Slice({1, 3, 4, 2}, {{}, {1, 2, 2, 2}, {1, 2, 2, 1}}), (std::vector<float>{0, 1, 4, 5, 16, 17, 20, 21}));
}

TEST(StridedSliceReferenceTest, StartsAtBeginInEveryDimension) {
  EXPECT_EQ(Slice({3, 2, 2, 4}, {{1, 1, 0, 1}, {2, 1, 2, 2}, {1, 1, 1, 2}}),
            (std::vector<float>{25, 27, 29, 31, 41, 43, 45, 47}));
}

TEST(StridedSliceReferenceTest, ASizeOfZeroTakesNothing) {
  EXPECT_EQ(Slice({1, 2, 2, 1}, {{0, 2, 0, 0}, {1, 0, 2, 1}}), std::vector<float>{});
}

}  // namespace
}  // namespace mcpruner
