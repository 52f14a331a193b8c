#include "delegate/cpu/kernels/reference_ops.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

// Runs the one op of a graph. Its inputs are 1, 2, 3, ... through all of them.
std::vector<float> RunOne(const Graph& graph) {
  std::vector<std::vector<float>> inputs;
  std::vector<const float*> pointers;
  float next = 1.0f;
  const Op& op = graph.ops[0];
  for (const int i : op.inputs) {
    inputs.emplace_back();
    for (int64_t k = graph.tensor(i).shape.size(); k > 0; --k) inputs.back().push_back(next++);
  }
  for (const auto& input : inputs) pointers.push_back(input.data());
  std::vector<float> y(static_cast<size_t>(graph.tensor(op.output).shape.size()));
  EXPECT_EQ(RunReferenceOp(graph, op, pointers, y.data()).message(), "");
  return y;
}

// Runs one op on `inputs` tensors of `shape`.
std::vector<float> RunOne(OpType type, int inputs, const Shape& shape, const OpParams& params,
                          Activation activation = Activation::kNone) {
  GraphBuilder b;
  std::vector<int> x;
  for (int i = 0; i < inputs; ++i) x.push_back(b.Input(shape));
  return RunOne(b.Finish({b.Op(type, x, params, activation)}));
}

const Shape kShape{1, 1, 2, 2};  // elements 1 2 3 4, in a second input 5 6 7 8

TEST(RunReferenceOpTest, BinaryOps) {
  EXPECT_EQ(RunOne(OpType::kAdd, 2, kShape, {}), (std::vector<float>{6, 8, 10, 12}));
  EXPECT_EQ(RunOne(OpType::kMul, 2, kShape, {}), (std::vector<float>{5, 12, 21, 32}));
  EXPECT_EQ(RunOne(OpType::kSub, 2, kShape, {}), (std::vector<float>{-4, -4, -4, -4}));
}

TEST(RunReferenceOpTest, AppliesTheActivation) {
  EXPECT_EQ(RunOne(OpType::kSub, 2, kShape, {}, Activation::kRelu), (std::vector<float>{0, 0, 0, 0}));
  EXPECT_EQ(RunOne(OpType::kSub, 2, kShape, {}, Activation::kReluN1To1), (std::vector<float>{-1, -1, -1, -1}));
  EXPECT_EQ(RunOne(OpType::kAdd, 2, kShape, {}, Activation::kRelu6), (std::vector<float>{6, 6, 6, 6}));
}

TEST(RunReferenceOpTest, OpsOfOneInput) {
  PoolParams pool;
  pool.filter_height = 1;
  pool.filter_width = 2;
  EXPECT_EQ(RunOne(OpType::kMaxPool, 1, kShape, pool), (std::vector<float>{3, 4}));
  EXPECT_EQ(RunOne(OpType::kAveragePool, 1, kShape, pool), (std::vector<float>{2, 3}));
  EXPECT_EQ(RunOne(OpType::kResizeNearest, 1, kShape, ResizeParams{1, 3}), (std::vector<float>{1, 2, 1, 2, 3, 4}));
  EXPECT_EQ(RunOne(OpType::kResizeBilinear, 1, kShape, ResizeParams{1, 3, true, false}),
            (std::vector<float>{1, 2, 2, 3, 3, 4}));
  EXPECT_EQ(RunOne(OpType::kDepthToSpace, 1, kShape, DepthToSpaceParams{2, 1}), (std::vector<float>{1, 3, 2, 4}));
  EXPECT_EQ(RunOne(OpType::kSpaceToDepth, 1, {1, 2, 2, 1}, SpaceToDepthParams{2}), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(RunOne(OpType::kMean, 1, kShape, ReduceParams{}), (std::vector<float>{2, 3}));
  EXPECT_EQ(RunOne(OpType::kPad, 1, kShape, PadParams{{0, 0, 1, 0}, {}}), (std::vector<float>{0, 0, 1, 2, 3, 4}));
  EXPECT_EQ(RunOne(OpType::kUnary, 1, kShape, UnaryParams{UnaryFunction::kReluN1To1}),
            (std::vector<float>{1, 1, 1, 1}));
  EXPECT_EQ(RunOne(OpType::kSoftmax, 1, kShape, SoftmaxParams{0.0f}), (std::vector<float>{0.5f, 0.5f, 0.5f, 0.5f}));
  EXPECT_EQ(RunOne(OpType::kStridedSlice, 1, kShape, StridedSliceParams{{0, 0, 1, 0}, {1, 1, 1, 2}}),
            (std::vector<float>{3, 4}));
}

TEST(RunReferenceOpTest, ConcatAndReshape) {
  EXPECT_EQ(RunOne(OpType::kConcat, 2, kShape, ConcatParams{3}), (std::vector<float>{1, 2, 5, 6, 3, 4, 7, 8}));
  GraphBuilder b;
  EXPECT_EQ(RunOne(b.Finish({b.Reshape(b.Input(kShape), {2, 2, 1, 1})})), (std::vector<float>{1, 2, 3, 4}));
}

// Makes 1x1 kernels from two channels to one: 10 a + 100 b + 1000.
SparseLayer Layer() {
  const std::vector<float> weights{10, 100}, bias{1000};
  return *SparseLayerFromDense(LayerKind::kConv2D, {1, 1, 1, 2}, weights, bias, 1);
}

TEST(RunReferenceOpTest, Convolutions) {
  const auto layer = std::make_shared<const SparseLayer>(Layer());
  EXPECT_EQ(RunOne(OpType::kConv, 1, kShape, ConvParams{Window{}, layer}), (std::vector<float>{1210, 1430}));
  EXPECT_EQ(RunOne(OpType::kFullyConnected, 1, kShape, FullyConnectedParams{layer}), (std::vector<float>{1210, 1430}));
  DepthwiseParams depthwise;
  depthwise.kernel_height = depthwise.kernel_width = 1;
  depthwise.weights = std::make_shared<const std::vector<float>>(std::vector<float>{10, 100});
  depthwise.bias = std::make_shared<const std::vector<float>>(std::vector<float>{0, 1});
  EXPECT_EQ(RunOne(OpType::kDepthwiseConv, 1, kShape, depthwise), (std::vector<float>{10, 201, 30, 401}));
}

TEST(RunReferenceOpTest, TheActivationComesAfterTheResidual) {
  GraphBuilder b;
  const std::vector<int> inputs{b.Input(kShape), b.Input({1, 1, 2, 1})};
  const auto layer = std::make_shared<const SparseLayer>(
      *SparseLayerFromDense(LayerKind::kConv2D, {1, 1, 1, 2}, std::vector<float>{-1, -1}, {}, 1));
  // The sums are -1 - 2 + 5 and -3 - 4 + 6.
  EXPECT_EQ(RunOne(b.Finish({b.Op(OpType::kConv, inputs, ConvParams{Window{}, layer}, Activation::kRelu)})),
            (std::vector<float>{2, 0}));
}

TEST(RunReferenceOpTest, EmptyTensorsNeedNoMemory) {
  GraphBuilder b;
  const int x = b.Input({0, 4, 4, 2});
  const Graph graph = b.Finish({b.Op(OpType::kMean, {x}, ReduceParams{})});
  const std::vector<const float*> inputs{nullptr};
  EXPECT_EQ(RunReferenceOp(graph, graph.ops[0], inputs, nullptr).message(), "");
}

TEST(RunReferenceOpTest, TooFewPointersAreAnError) {
  GraphBuilder b;
  const int x = b.Input(kShape);
  const Graph graph = b.Finish({b.Op(OpType::kAdd, {x, x})});
  const std::vector<const float*> inputs{nullptr};
  EXPECT_EQ(RunReferenceOp(graph, graph.ops[0], inputs, nullptr).message(),
            "op 't1': expected 2 input pointers, got 1");
}

}  // namespace
}  // namespace mcpruner
