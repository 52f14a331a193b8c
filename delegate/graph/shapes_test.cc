#include "delegate/graph/shapes.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>

#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

// Returns the shape as text, or the error.
std::string Infer(OpType type, const std::vector<Shape>& inputs, OpParams params = {}) {
  Graph graph;
  Op op;
  op.type = type;
  op.params = std::move(params);
  for (const Shape& shape : inputs) {
    op.inputs.push_back(static_cast<int>(graph.tensors.size()));
    graph.tensors.emplace_back().shape = shape;
  }
  const Result<Shape> out = OutputShape(graph, op);
  return out.ok() ? ShapeText(*out) : out.message();
}

ConvParams Conv(const DenseShape& shape) {
  std::mt19937 rng(1);
  return {Window{}, RandomLayer(rng, LayerKind::kConv2D, shape, 4, 2, 0.5)};
}

DepthwiseParams Depthwise(int channels, int multiplier) {
  DepthwiseParams p;
  p.kernel_height = p.kernel_width = 3;
  p.multiplier = multiplier;
  p.weights = std::make_shared<const std::vector<float>>(static_cast<size_t>(9 * channels * multiplier));
  p.bias = std::make_shared<const std::vector<float>>(static_cast<size_t>(channels * multiplier));
  return p;
}

PoolParams Pool(int filter, const Padding2D& padding) {
  PoolParams p;
  p.filter_height = p.filter_width = filter;
  p.window.padding = padding;
  return p;
}

TEST(OutputShapeTest, Convolution) {
  ConvParams p = Conv({7, 3, 3, 5});
  EXPECT_EQ(Infer(OpType::kConv, {{2, 8, 6, 5}}, p), "[2, 6, 4, 7]");
  EXPECT_EQ(Infer(OpType::kConv, {{2, 8, 6, 5}, {2, 6, 4, 7}}, p), "[2, 6, 4, 7]");
  EXPECT_EQ(Infer(OpType::kConv, {{0, 8, 6, 5}}, p), "[0, 6, 4, 7]");
  EXPECT_EQ(Infer(OpType::kConv, {{2, 8, 6, 5}, {1, 6, 4, 7}}, p),
            "expected a residual of the output's shape [2, 6, 4, 7], got [1, 6, 4, 7]");
  EXPECT_EQ(Infer(OpType::kConv, {{2, 8, 6, 4}}, p), "the weights expect 5 input channels, the input has 4");
  EXPECT_EQ(Infer(OpType::kConv, {{2, 8, 6, 5}}, ConvParams{}), "expected a layer of weights, got none");
  EXPECT_EQ(Infer(OpType::kConv, {}, p), "expected 1 or more inputs, got 0");
  EXPECT_EQ(Infer(OpType::kConv, {{2, 8, 6, 5}}, PoolParams{}), "its parameters are those of another op");
}

TEST(OutputShapeTest, WindowsOutOfBounds) {
  const auto with = [](auto change) {
    ConvParams p = Conv({1, 3, 3, 1});
    change(p.window);
    return Infer(OpType::kConv, {{1, 9, 9, 1}}, p);
  };
  EXPECT_EQ(with([](Window& w) { w.stride_h = 0; }), "rows: expected a filter size, stride and dilation of at least 1");
  EXPECT_EQ(with([](Window& w) { w.dilation_w = 0; }),
            "columns: expected a filter size, stride and dilation of at least 1");
  EXPECT_EQ(with([](Window& w) { w.padding.left = -1; }), "columns: expected padding of at least 0");
  const std::string bound = "rows: stride, padding or dilated filter size is above 65535";
  EXPECT_EQ(with([](Window& w) { w.padding.bottom = 65536; }), bound);
  EXPECT_EQ(with([](Window& w) { w.stride_h = 2147483647; }), bound);
  EXPECT_EQ(with([](Window& w) { w.dilation_h = 2147483647; }), bound);
  EXPECT_EQ(with([](Window& w) { w.padding = {65535, 65535, 0, 0}; }), "[1, 131077, 7, 1]");
}

TEST(OutputShapeTest, DepthwiseConvolution) {
  EXPECT_EQ(Infer(OpType::kDepthwiseConv, {{1, 5, 5, 4}}, Depthwise(4, 2)), "[1, 3, 3, 8]");
  EXPECT_EQ(Infer(OpType::kDepthwiseConv, {{1, 5, 5, 3}}, Depthwise(4, 2)), "expected 54 depthwise weights, got 72");
  DepthwiseParams p = Depthwise(4, 1);
  p.bias = nullptr;
  EXPECT_EQ(Infer(OpType::kDepthwiseConv, {{1, 5, 5, 4}}, p), "expected 4 biases, got 0");
  p.weights = nullptr;
  EXPECT_EQ(Infer(OpType::kDepthwiseConv, {{1, 5, 5, 4}}, p), "expected 36 depthwise weights, got 0");
  p.multiplier = 0;
  EXPECT_EQ(Infer(OpType::kDepthwiseConv, {{1, 5, 5, 4}}, p), "expected a depth multiplier of at least 1");
}

TEST(OutputShapeTest, FullyConnected) {
  const FullyConnectedParams p{Conv({7, 1, 1, 6}).layer};
  EXPECT_EQ(Infer(OpType::kFullyConnected, {{2, 1, 1, 6}}, p), "[2, 1, 1, 7]");
  EXPECT_EQ(Infer(OpType::kFullyConnected, {{2, 3, 1, 4}}, p), "[4, 1, 1, 7]");
  EXPECT_EQ(Infer(OpType::kFullyConnected, {{0, 3, 1, 4}}, p), "[0, 1, 1, 7]");
  EXPECT_EQ(Infer(OpType::kFullyConnected, {{1, 1, 1, 7}}, p), "the input's 7 elements are no whole rows of 6");
  EXPECT_EQ(Infer(OpType::kFullyConnected, {{1, 1, 1, 6}}, FullyConnectedParams{Conv({7, 1, 2, 6}).layer}),
            "expected a layer with a 1x1 kernel and input channels");
  EXPECT_EQ(Infer(OpType::kFullyConnected, {{1, 1, 1, 6}}, FullyConnectedParams{}),
            "expected a layer of weights, got none");
}

TEST(OutputShapeTest, BinaryOpsBroadcastEitherOperandOrBoth) {
  EXPECT_EQ(Infer(OpType::kAdd, {{2, 3, 4, 5}, {2, 3, 4, 5}}), "[2, 3, 4, 5]");
  EXPECT_EQ(Infer(OpType::kMul, {{2, 3, 4, 5}, {1, 1, 1, 5}}), "[2, 3, 4, 5]");
  EXPECT_EQ(Infer(OpType::kSub, {{1, 3, 1, 1}, {2, 3, 4, 5}}), "[2, 3, 4, 5]");
  EXPECT_EQ(Infer(OpType::kSub, {{1, 1, 1, 1}, {0, 3, 4, 5}}), "[0, 3, 4, 5]");
  EXPECT_EQ(Infer(OpType::kAdd, {{2, 3, 4, 5}, {2, 3, 4, 4}}), "[2, 3, 4, 5] and [2, 3, 4, 4] do not broadcast");
  EXPECT_EQ(Infer(OpType::kAdd, {{1, 1, 4, 1}, {1, 1, 1, 5}}), "[1, 1, 4, 5]");
  EXPECT_EQ(Infer(OpType::kAdd, {{1, 1, 1, 1}}), "expected 2 inputs, got 1");
}

TEST(OutputShapeTest, Pools) {
  EXPECT_EQ(Infer(OpType::kMaxPool, {{3, 6, 6, 2}}, Pool(3, {1, 1, 1, 1})), "[3, 6, 6, 2]");
  EXPECT_EQ(Infer(OpType::kAveragePool, {{3, 0, 6, 2}}, Pool(3, {})), "[3, 0, 4, 2]");
  const std::string nothing = "a pool window lies in the padding only";
  EXPECT_EQ(Infer(OpType::kMaxPool, {{1, 6, 6, 2}}, Pool(3, {3, 0, 0, 0})), nothing);
  EXPECT_EQ(Infer(OpType::kMaxPool, {{1, 6, 6, 2}}, Pool(3, {0, 0, 0, 3})), nothing);
  EXPECT_EQ(Infer(OpType::kAveragePool, {{1, 0, 6, 2}}, Pool(3, {2, 2, 0, 0})), nothing);
  PoolParams dilated = Pool(2, {});
  dilated.window.dilation_h = 2;
  EXPECT_EQ(Infer(OpType::kMaxPool, {{1, 6, 6, 2}}, dilated), "expected a pool without dilation");
}

TEST(OutputShapeTest, Resizes) {
  for (const OpType type : {OpType::kResizeBilinear, OpType::kResizeNearest}) {
    EXPECT_EQ(Infer(type, {{3, 6, 7, 2}}, ResizeParams{1, 20}), "[3, 1, 20, 2]");
    EXPECT_EQ(Infer(type, {{0, 6, 7, 2}}, ResizeParams{12, 14}), "[0, 12, 14, 2]");
    EXPECT_EQ(Infer(type, {{1, 6, 0, 2}}, ResizeParams{12, 14}), "an image without pixels cannot be resized");
    EXPECT_EQ(Infer(type, {{1, 6, 7, 2}}, ResizeParams{12, 0}), "expected a new height and width of at least 1");
  }
}

TEST(OutputShapeTest, Blocks) {
  EXPECT_EQ(Infer(OpType::kDepthToSpace, {{3, 6, 7, 12}}, DepthToSpaceParams{2, 3}), "[3, 12, 21, 2]");
  EXPECT_EQ(Infer(OpType::kDepthToSpace, {{3, 6, 0, 12}}, DepthToSpaceParams{2, 3, 1, 2}), "[3, 11, 0, 2]");
  EXPECT_EQ(Infer(OpType::kDepthToSpace, {{3, 6, 7, 8}}, DepthToSpaceParams{2, 3}),
            "the input's 8 channels do not fill blocks of 2 x 3 pixels");
  EXPECT_EQ(Infer(OpType::kDepthToSpace, {{3, 6, 7, 8}}, DepthToSpaceParams{0, 3}),
            "expected blocks of at least one pixel");
  EXPECT_EQ(Infer(OpType::kDepthToSpace, {{3, 6, 7, 4}}, DepthToSpaceParams{2, 2, 0, 2}),
            "expected less than a block to be cropped");
  EXPECT_EQ(Infer(OpType::kSpaceToDepth, {{3, 6, 9, 2}}, SpaceToDepthParams{3}), "[3, 2, 3, 18]");
  EXPECT_EQ(Infer(OpType::kSpaceToDepth, {{3, 6, 7, 2}}, SpaceToDepthParams{3}),
            "the input [3, 6, 7, 2] is not made of blocks of 3 x 3 pixels");
  EXPECT_EQ(Infer(OpType::kSpaceToDepth, {{3, 6, 7, 2}}, SpaceToDepthParams{0}),
            "expected blocks of at least one pixel");
  EXPECT_EQ(Infer(OpType::kSpaceToDepth, {{3, 0, 0, 2}}, SpaceToDepthParams{2147483647}),
            "its blocks have too many pixels");
  EXPECT_EQ(Infer(OpType::kSpaceToDepth, {{3, 0, 0, 8}}, SpaceToDepthParams{30000}),
            "a tensor would have more than 1073741824 elements");
}

TEST(OutputShapeTest, Reductions) {
  EXPECT_EQ(Infer(OpType::kMean, {{3, 6, 7, 2}}, ReduceParams{}), "[3, 1, 1, 2]");
  EXPECT_EQ(Infer(OpType::kSum, {{3, 6, 7, 2}}, ReduceParams{true, false, false}), "[3, 1, 7, 2]");
  EXPECT_EQ(Infer(OpType::kReduceMax, {{3, 6, 7, 2}}, ReduceParams{false, true, true}), "[3, 6, 1, 1]");
  EXPECT_EQ(Infer(OpType::kReduceMin, {{3, 0, 7, 2}}, ReduceParams{}), "[3, 1, 1, 2]");
  EXPECT_EQ(Infer(OpType::kMean, {{3, 6, 7, 2}}, ReduceParams{true, true, true}),
            "expected rows or channels to reduce, got both");
  EXPECT_EQ(Infer(OpType::kMean, {{3, 6, 7, 2}}, ReduceParams{false, false, false}), "expected a dimension to reduce");
}

TEST(OutputShapeTest, Normalize) {
  const Shape x{3, 6, 7, 4}, c{1, 1, 1, 4};
  EXPECT_EQ(Infer(OpType::kNormalize, {x, c, c}, NormalizeParams{true, 2, 0.1f}), "[3, 6, 7, 4]");
  EXPECT_EQ(Infer(OpType::kNormalize, {x, c, c}, NormalizeParams{true, 3, 0.1f}),
            "expected groups of channels that divide 4, got 3");
  EXPECT_EQ(Infer(OpType::kNormalize, {x, c, x}, NormalizeParams{false, 4, 0.1f}),
            "expected a scale and a shift of shape [1, 1, 1, 4], got [1, 1, 1, 4] and [3, 6, 7, 4]");
}

TEST(OutputShapeTest, TransposeAndShuffle) {
  EXPECT_EQ(Infer(OpType::kTranspose, {{3, 6, 7, 2}}, TransposeParams{{3, 0, 2, 1}}), "[2, 3, 7, 6]");
  const std::string bad = "expected an order of four dimensions, each of them once";
  EXPECT_EQ(Infer(OpType::kTranspose, {{3, 6, 7, 2}}, TransposeParams{{0, 1, 2, 2}}), bad);
  EXPECT_EQ(Infer(OpType::kTranspose, {{3, 6, 7, 2}}, TransposeParams{{0, 1, 2, 4}}), bad);
  EXPECT_EQ(Infer(OpType::kShuffle, {{3, 6, 7, 6}}, ShuffleParams{3}), "[3, 6, 7, 6]");
  EXPECT_EQ(Infer(OpType::kShuffle, {{3, 6, 7, 6}}, ShuffleParams{4}), "expected groups that divide 6 channels, got 4");
  EXPECT_EQ(Infer(OpType::kShuffle, {{3, 6, 7, 6}}, ShuffleParams{0}), "expected groups that divide 6 channels, got 0");
}

TEST(OutputShapeTest, UnaryAndSoftmax) {
  EXPECT_EQ(Infer(OpType::kUnary, {{3, 6, 7, 2}}, UnaryParams{}), "[3, 6, 7, 2]");
  EXPECT_EQ(Infer(OpType::kSoftmax, {{3, 6, 7, 2}}, SoftmaxParams{}), "[3, 6, 7, 2]");
  EXPECT_EQ(Infer(OpType::kSoftmax, {{3, 6, 7, 2}}), "its parameters are those of another op");
}

TEST(OutputShapeTest, Pad) {
  EXPECT_EQ(Infer(OpType::kPad, {{1, 2, 3, 4}}, PadParams{{1, 0, 2, 0}, {0, 3, 0, 4}}), "[2, 5, 5, 8]");
  EXPECT_EQ(Infer(OpType::kPad, {{1, 2, 3, 4}}, PadParams{{0, -1, 0, 0}, {}}), "expected padding of at least 0");
  const int huge = 2147483647;
  EXPECT_EQ(Infer(OpType::kPad, {{1, 2, 3, 4}}, PadParams{{huge, huge, huge, huge}, {huge, huge, huge, huge}}),
            "a tensor would have more than 1073741824 elements");
}

TEST(OutputShapeTest, MirrorPad) {
  const auto infer = [](const MirrorPadParams& p) { return Infer(OpType::kMirrorPad, {{1, 2, 3, 4}}, p); };
  EXPECT_EQ(infer({{0, 1, 2, 3}, {0, 0, 1, 3}, false}), "[1, 3, 6, 10]");
  EXPECT_EQ(infer({{1, 2, 3, 4}, {1, 2, 3, 4}, true}), "[3, 6, 9, 12]");
  EXPECT_EQ(infer({{0, 0, 3, 0}, {}, false}), "expected mirror padding of 0 to 2 for a size of 3, got 3 and 0");
  EXPECT_EQ(infer({{}, {2, 0, 0, 0}, true}), "expected mirror padding of 0 to 1 for a size of 1, got 0 and 2");
  EXPECT_EQ(infer({{0, -1, 0, 0}, {}, true}), "expected mirror padding of 0 to 2 for a size of 2, got -1 and 0");
}

TEST(OutputShapeTest, Concat) {
  EXPECT_EQ(Infer(OpType::kConcat, {{1, 2, 3, 4}, {1, 2, 3, 6}, {1, 2, 3, 0}}, ConcatParams{3}), "[1, 2, 3, 10]");
  EXPECT_EQ(Infer(OpType::kConcat, {{1, 2, 3, 4}, {7, 2, 3, 4}}, ConcatParams{0}), "[8, 2, 3, 4]");
  EXPECT_EQ(Infer(OpType::kConcat, {{1, 2, 3, 4}, {1, 2, 4, 4}}, ConcatParams{3}), "inputs differ outside of axis 3");
  EXPECT_EQ(Infer(OpType::kConcat, {{1, 2, 3, 4}}, ConcatParams{4}), "expected an axis of 0..3, got 4");
}

TEST(OutputShapeTest, StridedSlice) {
  const StridedSliceParams p{{0, 1, 0, 0}, {1, 2, 3, 4}, {1, 3, 2, 1}};
  EXPECT_EQ(Infer(OpType::kStridedSlice, {{1, 5, 5, 4}}, p), "[1, 2, 3, 4]");
  EXPECT_EQ(Infer(OpType::kStridedSlice, {{1, 4, 5, 4}}, p), "the slice leaves its input [1, 4, 5, 4]");
  EXPECT_EQ(Infer(OpType::kStridedSlice, {{1, 5, 5, 4}}, StridedSliceParams{{9, 9, 9, 9}, {}}), "[0, 0, 0, 0]");
  const std::string bad = "expected begin and size of at least 0 and strides other than 0";
  EXPECT_EQ(Infer(OpType::kStridedSlice, {{1, 5, 5, 4}}, StridedSliceParams{{-1, 0, 0, 0}, {}}), bad);
  EXPECT_EQ(Infer(OpType::kStridedSlice, {{1, 5, 5, 4}}, StridedSliceParams{{}, {}, {1, 1, 1, 0}}), bad);
  const int huge = 2147483647;
  EXPECT_EQ(Infer(OpType::kStridedSlice, {{1, 5, 5, 4}},
                  StridedSliceParams{{huge, 0, 0, 0}, {huge, 1, 1, 1}, {huge, 1, 1, 1}}),
            "the slice leaves its input [1, 5, 5, 4]");
}

TEST(CheckShapeTest, BoundsElementsWithZerosCountedAsOnes) {
  EXPECT_EQ(CheckShape({1, 0, 0, 5}).message(), "");
  EXPECT_EQ(CheckShape({1, 1 << 15, 1 << 15, 1}).message(), "");
  EXPECT_EQ(CheckShape({1, 1 << 15, 1 << 15, 2}).message(), "a tensor would have more than 1073741824 elements");
  EXPECT_EQ(CheckShape({0, 1 << 30, 1 << 30, 0}).message(), "a tensor would have more than 1073741824 elements");
  EXPECT_EQ(CheckShape({1, -2, 1, 1}).message(), "expected dimensions of at least 0, got -2");
}

}  // namespace
}  // namespace mcpruner
