// These tests turn NodePlans into graphs: ranks, SAME padding, slices, reshapes, broadcasting.

#include "delegate/tflite/lower/graph_builder.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace mcpruner {
namespace {

Operand Computed(int tensor) {
  Operand operand;
  operand.tensor = tensor;
  return operand;
}

Operand Constant(const Dims& dims, std::vector<float> values) {
  Operand operand;
  operand.constant = std::make_shared<const std::vector<float>>(std::move(values));
  operand.constant_dims = dims;
  return operand;
}

NodePlan Plan(OpType type, std::vector<Operand> inputs, int output) {
  NodePlan plan;
  plan.type = type;
  plan.name = "out" + std::to_string(output);
  plan.inputs = std::move(inputs);
  plan.output = output;
  return plan;
}

Result<BuiltGraph> Build(const std::vector<NodePlan>& plans, int output, std::map<int, Dims> dims) {
  return BuildGraph(plans, {output}, [dims](int tensor) { return dims.at(tensor); });
}

std::shared_ptr<const SparseLayer> Layer(LayerKind kind, const DenseShape& shape) {
  const std::vector<float> weights(
      static_cast<size_t>(shape.out_channels * shape.kernel_height * shape.kernel_width * shape.in_channels), 1.0f);
  return std::make_shared<const SparseLayer>(*SparseLayerFromDense(kind, shape, weights, {}, 4));
}

// Returns SAME along rows for an input of `in`, as {output, before, after}.
std::vector<int> Same(int in, int kernel, int stride, int dilation) {
  NodePlan plan = Plan(OpType::kConv, {Computed(0)}, 1);
  ConvParams conv;
  conv.layer = Layer(LayerKind::kConv2D, {1, kernel, 1, 1});
  conv.window.stride_h = stride;
  conv.window.dilation_h = dilation;
  plan.params = conv;
  plan.deferred = SamePadding{};
  const Result<BuiltGraph> built = Build({plan}, 1, {{0, {1, in, 1, 1}}});
  if (!built.ok()) return {};
  const Padding2D& p = std::get<ConvParams>(built->graph.ops[0].params).window.padding;
  return {built->output_dims[0][1], p.top, p.bottom};
}

TEST(GraphBuilder, SameFollowsTflite) {
  EXPECT_EQ(Same(5, 3, 1, 1), (std::vector<int>{5, 1, 1}));
  EXPECT_EQ(Same(4, 3, 2, 1), (std::vector<int>{2, 0, 1}));  // the smaller half before
  EXPECT_EQ(Same(5, 3, 2, 1), (std::vector<int>{3, 1, 1}));
  EXPECT_EQ(Same(5, 2, 1, 1), (std::vector<int>{5, 0, 1}));
  EXPECT_EQ(Same(5, 3, 1, 2), (std::vector<int>{5, 2, 2}));
  EXPECT_EQ(Same(4, 1, 3, 1), (std::vector<int>{2, 0, 0}));  // never negative
  EXPECT_EQ(Same(0, 3, 1, 1)[0], 0);
}

TEST(GraphBuilder, EveryRankIsKept) {
  NodePlan relu = Plan(OpType::kUnary, {Computed(0)}, 1);
  relu.params = UnaryParams{UnaryFunction::kRelu};
  for (const Dims& dims : {Dims{}, Dims{5}, Dims{2, 5}, Dims{2, 3, 5}, Dims{2, 3, 4, 5}, Dims{2, 3, 1, 4, 5}}) {
    const Result<BuiltGraph> built = Build({relu}, 1, {{0, dims}});
    ASSERT_TRUE(built.ok()) << built.message();
    EXPECT_EQ(built->output_dims[0], dims);
  }
}

TEST(GraphBuilder, MeanDropsOrKeepsAxes) {
  NodePlan mean = Plan(OpType::kMean, {Computed(0)}, 1);
  mean.deferred = ReduceAxes{{1, -2}, false};
  EXPECT_EQ(Build({mean}, 1, {{0, {2, 3, 4, 5}}})->output_dims[0], (Dims{2, 5}));
  EXPECT_EQ(Build({mean}, 1, {{0, {2, 4, 5}}})->output_dims[0], (Dims{2, 5}));
  mean.deferred = ReduceAxes{{1, -2}, true};
  EXPECT_EQ(Build({mean}, 1, {{0, {2, 3, 4, 5}}})->output_dims[0], (Dims{2, 1, 1, 5}));
  EXPECT_EQ(Build({mean}, 1, {{0, {2, 4, 5}}})->output_dims[0], (Dims{2, 1, 5}));
  EXPECT_EQ(Build({mean}, 1, {{0, {5}}}).message(), "Mean 'out1': its axis 1 is out of range for 1 dimensions");
}

TEST(GraphBuilder, FullyConnectedCountsRowsOrKeepsTheRank) {
  NodePlan fc = Plan(OpType::kFullyConnected, {Computed(0)}, 1);
  fc.params = FullyConnectedParams{Layer(LayerKind::kFullyConnected, {7, 1, 1, 5})};
  EXPECT_EQ(Build({fc}, 1, {{0, {2, 3, 5}}})->output_dims[0], (Dims{6, 7}));
  EXPECT_EQ(Build({fc}, 1, {{0, {2, 5, 3}}})->output_dims[0], (Dims{6, 7}));
  fc.deferred = KeepRank{};
  const Result<BuiltGraph> kept = Build({fc}, 1, {{0, {2, 3, 5}}});
  EXPECT_EQ(kept->output_dims[0], (Dims{2, 3, 7}));
  EXPECT_TRUE(ValidateGraph(kept->graph).ok());
  EXPECT_EQ(Build({fc}, 1, {{0, {2, 5, 3}}}).message(),
            "FullyConnected 'out1': expected an input whose last dimension is 5, got [2, 5, 3]");
}

TEST(GraphBuilder, ReshapeResolvesItsUnknown) {
  NodePlan reshape = Plan(OpType::kReshape, {Computed(0)}, 1);
  reshape.deferred = NewShape{{-1, 6}};
  EXPECT_EQ(Build({reshape}, 1, {{0, {2, 3, 2, 1}}})->output_dims[0], (Dims{2, 6}));
  EXPECT_EQ(Build({reshape}, 1, {{0, {0, 3, 2, 1}}})->output_dims[0], (Dims{0, 6}));
  EXPECT_FALSE(Build({reshape}, 1, {{0, {1, 5, 1, 1}}}).ok());
  reshape.deferred = NewShape{{1, 6}};
  EXPECT_FALSE(Build({reshape}, 1, {{0, {2, 3, 2, 1}}}).ok());
}

TEST(GraphBuilder, SlicesAreClampedAsTfliteDoes) {
  NodePlan slice = Plan(OpType::kStridedSlice, {Computed(0)}, 1);
  SliceBounds bounds;
  bounds.begin = {1, -3};
  bounds.end = {100, -1};
  bounds.stride = {2, 1};
  slice.deferred = bounds;
  const Result<BuiltGraph> built = Build({slice}, 1, {{0, {6, 5}}});
  ASSERT_TRUE(built.ok()) << built.message();
  EXPECT_EQ(built->output_dims[0], (Dims{3, 2}));
  const auto& params = std::get<StridedSliceParams>(built->graph.ops[0].params);
  EXPECT_EQ(params.begin, (std::array<int, 4>{1, 0, 0, 2}));
  EXPECT_EQ(params.stride, (std::array<int, 4>{2, 1, 1, 1}));
  bounds.begin_mask = bounds.end_mask = 3;
  slice.deferred = bounds;
  EXPECT_EQ(Build({slice}, 1, {{0, {6, 5}}})->output_dims[0], (Dims{3, 5}));
  bounds = {{3, 0}, {2, 5}, {1, 1}, 0, 0};
  slice.deferred = bounds;
  EXPECT_EQ(Build({slice}, 1, {{0, {6, 5}}})->output_dims[0], (Dims{0, 5}));
}

TEST(GraphBuilder, ConstantsAlignAtTheirLastDimension) {
  const NodePlan add = Plan(OpType::kAdd, {Computed(0), Constant({4, 5}, std::vector<float>(20))}, 1);
  const Result<BuiltGraph> built = Build({add}, 1, {{0, {2, 4, 5}}});
  ASSERT_TRUE(built.ok()) << built.message();
  EXPECT_EQ(built->graph.tensor(built->graph.ops[0].inputs[1]).shape, (Shape{1, 1, 4, 5}));
  EXPECT_EQ(built->output_dims[0], (Dims{2, 4, 5}));
  EXPECT_EQ(built->inputs, (std::vector<int>{0}));
}

TEST(GraphBuilder, InputsAreFoundOnceAndOutputsMustBeComputed) {
  const NodePlan twice = Plan(OpType::kMul, {Computed(3), Computed(3)}, 4);
  const Result<BuiltGraph> built = Build({twice}, 4, {{3, {2, 2}}});
  ASSERT_TRUE(built.ok());
  EXPECT_EQ(built->inputs, (std::vector<int>{3}));
  EXPECT_EQ(built->graph.ops[0].inputs, (std::vector<int>{0, 0}));
  EXPECT_EQ(Build({twice}, 9, {{3, {2, 2}}}).message(), "no node of the partition computes tensor 9");
}

TEST(GraphBuilder, HugeAndNegativeSizesAreRefused) {
  NodePlan relu = Plan(OpType::kUnary, {Computed(0)}, 1);
  relu.params = UnaryParams{UnaryFunction::kRelu};
  EXPECT_FALSE(Build({relu}, 1, {{0, {1 << 20, 1 << 20, 1, 1}}}).ok());
  EXPECT_FALSE(Build({relu}, 1, {{0, {1, -1, 1, 1}}}).ok());
}

}  // namespace
}  // namespace mcpruner
