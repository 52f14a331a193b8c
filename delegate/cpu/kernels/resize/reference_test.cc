#include "delegate/cpu/kernels/resize/reference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace mcpruner {
namespace {

std::vector<float> Resized(OpType type, const ResizeParams& params, const Shape& in, const std::vector<float>& x) {
  const Shape out{in.n, params.height, params.width, in.c};
  std::vector<float> y(static_cast<size_t>(out.size()));
  ResizeReference(type, params, in, x.data(), out, y.data());
  return y;
}

TEST(ResizeReferenceTest, NearestRepeatsPixelsOfEachChannelAndImage) {
  const std::vector<float> x{1, 10, 2, 20, 3, 30, 4, 40};  // two images of 1x2 pixels, two channels
  EXPECT_EQ(Resized(OpType::kResizeNearest, {2, 4, false, false}, {2, 1, 2, 2}, x),
            (std::vector<float>{1, 10, 1, 10, 2, 20, 2, 20, 1, 10, 1, 10, 2, 20, 2, 20,
                                3, 30, 3, 30, 4, 40, 4, 40, 3, 30, 3, 30, 4, 40, 4, 40}));
}

TEST(ResizeReferenceTest, BilinearBlendsRowsAndColumns) {
  EXPECT_EQ(Resized(OpType::kResizeBilinear, {3, 3, true, false}, {1, 2, 2, 1}, {0, 2, 4, 8}),
            (std::vector<float>{0, 1, 2, 2, 3.5f, 5, 4, 6, 8}));
  EXPECT_EQ(Resized(OpType::kResizeBilinear, {1, 4, false, true}, {1, 1, 2, 1}, {0, 4}),
            (std::vector<float>{0, 1, 3, 4}));
}

TEST(ResizeReferenceTest, ANeighbourWithoutAShareIsNotLookedAt) {
  const std::vector<float> y = Resized(OpType::kResizeBilinear, {1, 4, false, false}, {1, 1, 2, 1}, {INFINITY, NAN});
  EXPECT_EQ(y[0], INFINITY);
  for (size_t i = 1; i < 4; ++i) EXPECT_TRUE(std::isnan(y[i]));
}

}  // namespace
}  // namespace mcpruner
