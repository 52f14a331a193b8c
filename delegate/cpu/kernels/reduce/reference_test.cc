#include "delegate/cpu/kernels/reduce/reference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "delegate/graph/shapes.h"

namespace mcpruner {
namespace {

constexpr ReduceParams kMap{true, true, false}, kRows{true, false, false}, kColumns{false, true, false},
    kChannels{false, false, true}, kRowsOfChannels{false, true, true};

std::vector<float> Reduce(ReduceFunction function, const ReduceParams& params, const Shape& in,
                          const std::vector<float>& x) {
  std::vector<float> y(static_cast<size_t>(ReducedShape(params, in).size()));
  ReduceReference(function, params, in, x.data(), y.data());
  return y;
}

TEST(ReduceReferenceTest, AveragesThePixelsOfEachChannelAndImage) {
  const std::vector<float> x{1,  10, 2,  20, 3,  30, 6,  60,  // image 0: 2x2 pixels, two channels
                             -1, 0,  -1, 0,  -1, 0,  -1, 4};  // image 1
  EXPECT_EQ(Reduce(ReduceFunction::kMean, kMap, {2, 2, 2, 2}, x), (std::vector<float>{3, 30, -1, 1}));
}

TEST(ReduceReferenceTest, OverAnyDimensionsOfAnImage) {
  const Shape shape{1, 2, 2, 3};
  const std::vector<float> x{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  EXPECT_EQ(Reduce(ReduceFunction::kSum, kRows, shape, x), (std::vector<float>{8, 10, 12, 14, 16, 18}));
  EXPECT_EQ(Reduce(ReduceFunction::kSum, kColumns, shape, x), (std::vector<float>{5, 7, 9, 17, 19, 21}));
  EXPECT_EQ(Reduce(ReduceFunction::kSum, kChannels, shape, x), (std::vector<float>{6, 15, 24, 33}));
  EXPECT_EQ(Reduce(ReduceFunction::kMean, kRowsOfChannels, shape, x), (std::vector<float>{3.5f, 9.5f}));
}

TEST(ReduceReferenceTest, TheLargestAndTheSmallestLeaveNanOut) {
  const std::vector<float> x{1, NAN, -3, NAN, NAN, -INFINITY};
  EXPECT_EQ(Reduce(ReduceFunction::kReduceMax, kChannels, {1, 1, 2, 3}, x), (std::vector<float>{1, -INFINITY}));
  EXPECT_EQ(Reduce(ReduceFunction::kReduceMin, kChannels, {1, 1, 2, 3}, x), (std::vector<float>{-3, -INFINITY}));
}

TEST(ReduceReferenceTest, KeepsSmallTermsBesideLargeOnes) {
  // In float32 1e8 + 1 is 1e8, so a float sum of these is 0.
  const std::vector<float> x{1e8f, 1, 1, -1e8f};
  EXPECT_EQ(Reduce(ReduceFunction::kMean, kMap, {1, 1, 4, 1}, x), std::vector<float>{0.5f});
}

TEST(ReduceReferenceTest, OfNothing) {
  EXPECT_TRUE(std::isnan(Reduce(ReduceFunction::kMean, kMap, {1, 0, 3, 1}, {})[0]));
  EXPECT_EQ(Reduce(ReduceFunction::kSum, kMap, {1, 0, 3, 1}, {}), std::vector<float>{0});
  EXPECT_EQ(Reduce(ReduceFunction::kReduceMax, kMap, {1, 0, 3, 1}, {}), std::vector<float>{-INFINITY});
}

}  // namespace
}  // namespace mcpruner
