#include "delegate/graph/window_reach.h"

#include <gtest/gtest.h>

#include <memory>

namespace mcpruner {
namespace {

void ExpectSides(const Padding2D& got, const Padding2D& expected) {
  EXPECT_EQ(got.top, expected.top);
  EXPECT_EQ(got.bottom, expected.bottom);
  EXPECT_EQ(got.left, expected.left);
  EXPECT_EQ(got.right, expected.right);
}

Op DepthwiseOp(const Window& window, int kernel_height, int kernel_width) {
  DepthwiseParams params;
  params.window = window;
  params.kernel_height = kernel_height;
  params.kernel_width = kernel_width;
  return {OpType::kDepthwiseConv, "", {0}, 1, Activation::kNone, params};
}

TEST(WindowReachTest, TheReachIsWhatIsReadAndNotThePadding) {
  // With 8 columns, kernel 2, stride 2 and padding 1 behind, the last window ends with column 7.
  ExpectSides(ConvReach(DepthwiseOp({2, 2, 1, 1, {0, 1, 0, 1}}, 2, 2), {1, 8, 8, 1}, {1, 4, 4, 1}), {0, 0, 0, 0});
  // This is the drawing in window_reach.h.
  ExpectSides(ConvReach(DepthwiseOp({2, 2, 1, 1, {1, 1, 1, 1}}, 3, 3), {1, 4, 4, 1}, {1, 2, 2, 1}), {1, 0, 1, 0});
  // Rows have 3 taps that are 2 apart, and padding 2 before and 3 behind, of which the last window reads 2.
  ExpectSides(ConvReach(DepthwiseOp({2, 1, 2, 1, {2, 3, 0, 1}}, 3, 2), {1, 7, 5, 1}, {1, 4, 5, 1}), {2, 2, 0, 1});
}

TEST(WindowReachTest, ConvolutionsReachAsDepthwiseOnesDoAndPoolsDoNot) {
  auto layer = std::make_shared<SparseLayer>();
  layer->kernel_height = 6;
  layer->kernel_width = 7;
  const Window window{1, 1, 1, 1, {1, 2, 3, 4}};
  const Shape in{1, 9, 9, 2}, out{1, 7, 10, 2};
  Op op = DepthwiseOp(window, 6, 7);
  ExpectSides(ConvReach(op, in, out), {1, 2, 3, 4});
  op.params = ConvParams{window, layer};
  ExpectSides(ConvReach(op, in, out), {1, 2, 3, 4});
  op.params = PoolParams{window, 6, 7};
  ExpectSides(ConvReach(op, in, out), {0, 0, 0, 0});
}

TEST(WindowReachTest, AUnionHasTheWiderOfEachSide) {
  const Padding2D both = Union({1, 5, 0, 2}, {3, 4, 0, 1});
  ExpectSides(both, {3, 5, 0, 2});
  EXPECT_EQ(WidestSide(both), 5);
  EXPECT_EQ(WidestSide({}), 0);
}

}  // namespace
}  // namespace mcpruner
