#include "delegate/graph/passes/fusion.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <random>

#include "delegate/cpu/reference_backend.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

class FusionTest : public testing::Test {
 protected:
  FusionTest() : x(b.Input({1, 6, 6, 4})) {}

  // Adds a 3x3 convolution from 4 to `out` channels that keeps the size.
  int Conv(int input, Activation activation = Activation::kNone, int out = 4) {
    const DenseShape shape{out, 3, 3, b.shape(input).c};
    ConvParams params;
    params.layer = RandomLayer(rng, LayerKind::kConv2D, shape, 4, 3, 0.7);
    params.window.padding = {1, 1, 1, 1};
    return b.Op(OpType::kConv, {input}, params, activation);
  }
  int Unary(int input, UnaryFunction function) { return b.Op(OpType::kUnary, {input}, UnaryParams{function}); }
  int Pad(int input, std::array<int, 4> before, std::array<int, 4> after, float value = 0.0f) {
    return b.Op(OpType::kPad, {input}, PadParams{before, after, value});
  }
  // Fuses, and checks that only rounding changed: a result of order 1 may be off by one float32 step for each fold.
  Graph Fused(std::vector<int> outputs) {
    const Graph graph = b.Finish(std::move(outputs));
    Graph fused = graph;
    EXPECT_EQ(FuseGraph(&fused).message(), "");
    EXPECT_EQ(ValidateGraph(fused).message(), "");
    const auto backend = CreateReferenceBackend();
    const std::vector<std::vector<float>> inputs{RandomFloats(rng, b.shape(x).size())};
    const auto before = RunGraph(*backend, graph, inputs), after = RunGraph(*backend, fused, inputs);
    for (size_t k = 0; k < before.size(); ++k) {
      for (size_t i = 0; i < before[k].size(); ++i) EXPECT_NEAR(before[k][i], after[k][i], 1e-5);
    }
    return fused;
  }
  static std::vector<OpType> Types(const Graph& graph) {
    std::vector<OpType> types;
    for (const Op& op : graph.ops) types.push_back(op.type);
    return types;
  }

  std::mt19937 rng{1};
  GraphBuilder b;
  const int x;
};

TEST_F(FusionTest, ReluBecomesTheActivationOfTheConvolutionBefore) {
  const int conv = Conv(x);
  const int y = Unary(conv, UnaryFunction::kRelu6);
  const Graph fused = Fused({y});
  ASSERT_EQ(fused.ops.size(), 1u);
  EXPECT_EQ(fused.ops[0].activation, Activation::kRelu6);
  EXPECT_EQ(fused.ops[0].output, y);
  EXPECT_EQ(fused.ops[0].name, "t" + std::to_string(conv));
}

TEST_F(FusionTest, OnlyActivationsFold) {
  const Graph fused = Fused({Unary(Conv(x), UnaryFunction::kHardSwish), Unary(Conv(x), UnaryFunction::kLogistic)});
  EXPECT_EQ(Types(fused), (std::vector<OpType>{OpType::kConv, OpType::kUnary, OpType::kConv, OpType::kUnary}));
}

TEST_F(FusionTest, AReluStaysWhereItsInputIsSeenByOthers) {
  const int conv = Conv(x);
  EXPECT_EQ(Fused({Unary(conv, UnaryFunction::kRelu), conv}).ops.size(), 2u);
}

TEST_F(FusionTest, AReluStaysAfterAnotherActivationAndAfterOpsThatTakeNone) {
  EXPECT_EQ(Fused({Unary(Conv(x, Activation::kRelu), UnaryFunction::kRelu6)}).ops.size(), 2u);
  EXPECT_EQ(Fused({Unary(b.Op(OpType::kSoftmax, {x}, SoftmaxParams{}), UnaryFunction::kRelu)}).ops.size(), 2u);
}

TEST_F(FusionTest, AddAndItsActivationBecomeTheResidualOfTheConvolution) {
  const int conv = Conv(x);
  const int y = Unary(b.Op(OpType::kAdd, {conv, x}), UnaryFunction::kRelu);
  const Graph fused = Fused({y});
  ASSERT_EQ(fused.ops.size(), 1u);
  EXPECT_EQ(fused.ops[0].inputs, (std::vector<int>{x, x}));
  EXPECT_EQ(fused.ops[0].activation, Activation::kRelu);
  EXPECT_EQ(fused.ops[0].output, y);
}

TEST_F(FusionTest, AConvolutionMovesBehindTheOtherOperandOfItsAdd) {
  const int shortcut = Conv(x);
  const int main = b.Op(OpType::kSoftmax, {Conv(x, Activation::kRelu)}, SoftmaxParams{});
  const Graph fused = Fused({b.Op(OpType::kAdd, {shortcut, main})});
  EXPECT_EQ(Types(fused), (std::vector<OpType>{OpType::kConv, OpType::kSoftmax, OpType::kConv}));
  EXPECT_EQ(fused.ops[2].inputs, (std::vector<int>{x, main}));
}

TEST_F(FusionTest, OfTwoConvolutionsTheLaterOneAdds) {
  const int first = Conv(x), second = Conv(x);
  const Graph fused = Fused({b.Op(OpType::kAdd, {second, first})});
  ASSERT_EQ(Types(fused), (std::vector<OpType>{OpType::kConv, OpType::kConv}));
  EXPECT_EQ(fused.ops[0].output, first);
  EXPECT_EQ(fused.ops[1].inputs, (std::vector<int>{x, first}));
}

TEST_F(FusionTest, AddsInARowFoldOneByOne) {
  const int sum = b.Op(OpType::kAdd, {Conv(x), x});
  const Graph fused = Fused({b.Op(OpType::kAdd, {sum, Conv(sum)})});
  EXPECT_EQ(Types(fused), (std::vector<OpType>{OpType::kConv, OpType::kConv}));
}

TEST_F(FusionTest, ReshapesThereAndBackAreGone) {
  const int conv = Conv(x);
  const int flat = b.Reshape(conv, {36, 1, 1, 4});
  const Graph fused = Fused({Conv(b.Reshape(flat, b.shape(conv)))});
  EXPECT_EQ(Types(fused), (std::vector<OpType>{OpType::kConv, OpType::kConv}));
}

TEST_F(FusionTest, ASliceThatGoesBackwardsIsNoIdentity) {
  const Shape s = b.shape(x);
  const StridedSliceParams backwards{{0, s.h - 1, 0, 0}, {s.n, s.h, s.w, s.c}, {1, -1, 1, 1}};
  const Graph fused = Fused({Conv(b.Op(OpType::kStridedSlice, {x}, backwards))});
  EXPECT_EQ(Types(fused), (std::vector<OpType>{OpType::kStridedSlice, OpType::kConv}));
}

TEST_F(FusionTest, AShuffleOfChannelsIsOneOp) {
  const int conv = Conv(x);
  const int groups = b.Reshape(conv, {36, 1, 2, 2});
  const int swapped = b.Op(OpType::kTranspose, {groups}, TransposeParams{{0, 1, 3, 2}});
  const Graph fused = Fused({Conv(b.Reshape(swapped, b.shape(conv))), b.Reshape(swapped, {1, 6, 12, 2})});
  EXPECT_EQ(Types(fused), (std::vector<OpType>{OpType::kConv, OpType::kReshape, OpType::kTranspose, OpType::kShuffle,
                                               OpType::kConv, OpType::kReshape}));
}

TEST_F(FusionTest, AConvolutionTakesOneAddOnly) {
  const int sum = b.Op(OpType::kAdd, {Conv(x), x});
  const Graph fused = Fused({b.Op(OpType::kAdd, {sum, x})});
  EXPECT_EQ(Types(fused), (std::vector<OpType>{OpType::kConv, OpType::kAdd}));
}

TEST_F(FusionTest, AddsThatAConvolutionCannotDoStay) {
  const int conv = Conv(x);
  const int constant = b.Constant(b.shape(conv), std::vector<float>(6 * 6 * 4, 1.0f));
  const int per_channel = b.Op(OpType::kMean, {x}, ReduceParams{});
  const std::vector<int> outputs{
      b.Op(OpType::kAdd, {conv, conv}),                      // needed twice
      b.Op(OpType::kAdd, {Conv(x, Activation::kRelu6), x}),  // has an activation already
      b.Op(OpType::kAdd, {Conv(x), constant}),               // a constant
      b.Op(OpType::kAdd, {Conv(x), per_channel}),            // broadcasts
      b.Op(OpType::kSub, {Conv(x), x}),                      // no add
  };
  EXPECT_EQ(Fused(outputs).ops.size(), 11u);
}

TEST_F(FusionTest, AZeroPadOverRowsAndColumnsMovesIntoTheWindow) {
  const Graph fused = Fused({Conv(Pad(x, {0, 1, 2, 0}, {0, 0, 3, 0}))});
  ASSERT_EQ(fused.ops.size(), 1u);
  const Padding2D& padding = std::get<ConvParams>(fused.ops[0].params).window.padding;
  EXPECT_EQ(padding.top, 2);
  EXPECT_EQ(padding.bottom, 1);
  EXPECT_EQ(padding.left, 3);
  EXPECT_EQ(padding.right, 4);
}

TEST_F(FusionTest, ADepthwiseConvolutionTakesThePadToo) {
  DepthwiseParams params;
  params.kernel_height = params.kernel_width = 3;
  params.weights = std::make_shared<const std::vector<float>>(RandomFloats(rng, 9 * 4));
  params.bias = std::make_shared<const std::vector<float>>(RandomFloats(rng, 4));
  const Graph fused = Fused({b.Op(OpType::kDepthwiseConv, {Pad(x, {0, 1, 2, 0}, {0, 3, 4, 0})}, params)});
  ASSERT_EQ(fused.ops.size(), 1u);
  const Padding2D& padding = std::get<DepthwiseParams>(fused.ops[0].params).window.padding;
  EXPECT_EQ(padding.top, 1);
  EXPECT_EQ(padding.right, 4);
}

TEST_F(FusionTest, APadWithOtherReadersFoldsAndStays) {
  const int pad = Pad(x, {0, 1, 1, 0}, {0, 1, 1, 0});
  const Graph fused = Fused({Conv(pad), Unary(pad, UnaryFunction::kLogistic)});
  EXPECT_EQ(Types(fused), (std::vector<OpType>{OpType::kPad, OpType::kConv, OpType::kUnary}));
  EXPECT_EQ(fused.ops[1].inputs, std::vector<int>{x});
}

TEST_F(FusionTest, PadsThatAreNoZerosAroundTheMapStay) {
  PoolParams pool;
  pool.filter_height = pool.filter_width = 2;
  const std::array<int, 4> none{}, one{0, 1, 1, 0};
  const std::vector<int> outputs{
      Conv(Pad(x, one, one, 1.0f)),
      Conv(Pad(x, none, {0, 0, 0, 1})),
      Conv(Pad(x, {0, 0, 0, 1}, none)),
      Conv(Pad(x, {1, 0, 0, 0}, none)),
      Conv(Pad(x, none, {1, 0, 0, 0})),
      b.Op(OpType::kMaxPool, {Pad(x, one, one)}, pool),
      b.Op(OpType::kAveragePool, {Pad(x, one, one)}, pool),
  };
  EXPECT_EQ(Fused(outputs).ops.size(), 14u);
}

TEST_F(FusionTest, AMaximumTakesZerosItCannotSee) {
  PoolParams pool;
  pool.filter_height = pool.filter_width = 3;
  const std::array<int, 4> one{0, 1, 1, 0}, three{0, 3, 0, 0};
  const Graph fused = Fused({b.Op(OpType::kMaxPool, {Pad(Conv(x, Activation::kRelu6), one, one)}, pool)});
  EXPECT_EQ(Types(fused), (std::vector<OpType>{OpType::kConv, OpType::kMaxPool}));
  EXPECT_EQ(std::get<PoolParams>(fused.ops[1].params).window.padding.left, 1);
  // These have windows without a pixel, and maps with numbers below zero.
  EXPECT_EQ(Fused({b.Op(OpType::kMaxPool, {Pad(Conv(x, Activation::kRelu), three, one)}, pool)}).ops.size(), 3u);
  EXPECT_EQ(Fused({b.Op(OpType::kMaxPool, {Pad(Conv(x), one, one)}, pool)}).ops.size(), 3u);
}

TEST_F(FusionTest, APadBeyondTheBoundOfAWindowStays) {
  EXPECT_EQ(Fused({Conv(Pad(x, {0, 65535, 0, 0}, {}))}).ops.size(), 2u);
}

TEST_F(FusionTest, OpsThatChangeNothingGo) {
  const int reshaped = b.Reshape(Pad(x, {}, {}), {1, 6, 6, 4});
  StridedSliceParams all;
  all.size = {1, 6, 6, 4};
  const int mirrored = b.Op(OpType::kMirrorPad, {reshaped}, MirrorPadParams{});
  const Graph fused = Fused({Conv(b.Op(OpType::kStridedSlice, {mirrored}, all))});
  ASSERT_EQ(fused.ops.size(), 1u);
  EXPECT_EQ(fused.ops[0].inputs, std::vector<int>{x});
}

TEST_F(FusionTest, APadOfNothingGoesBeforeAnyOp) {
  EXPECT_EQ(Fused({Unary(Pad(x, {}, {}), UnaryFunction::kLogistic)}).ops.size(), 1u);
}

TEST_F(FusionTest, AnIdentityThatTheCallerReadsStays) {
  EXPECT_EQ(Fused({b.Reshape(Conv(x), {1, 6, 6, 4})}).ops.size(), 2u);
  EXPECT_EQ(Fused({b.Reshape(x, {1, 6, 24, 1})}).ops.size(), 1u);
}

TEST_F(FusionTest, OpsThatNobodyReadsGo) {
  const int y = Conv(x);
  Unary(Conv(y), UnaryFunction::kHardSwish);
  // The dead reader of y does not hinder its fusion.
  EXPECT_EQ(Fused({Unary(y, UnaryFunction::kRelu)}).ops.size(), 1u);
}

TEST_F(FusionTest, AGateOfItsOwnInputIsSilu) {
  const int y = Conv(x);
  const Graph fused = Fused({b.Op(OpType::kMul, {Unary(y, UnaryFunction::kLogistic), y})});
  EXPECT_EQ(Types(fused), (std::vector<OpType>{OpType::kConv, OpType::kUnary}));
  EXPECT_EQ(std::get<UnaryParams>(fused.ops[1].params).function, UnaryFunction::kSilu);
}

TEST_F(FusionTest, ExpLogAndTanhAreMish) {
  const int exp = Unary(x, UnaryFunction::kExp), one = b.Constant({1, 1, 1, 4}, {1, 1, 1, 1});
  const int log = Unary(b.Op(OpType::kAdd, {one, exp}), UnaryFunction::kLog);
  const Graph fused = Fused({b.Op(OpType::kMul, {x, Unary(log, UnaryFunction::kTanh)})});
  ASSERT_EQ(Types(fused), (std::vector<OpType>{OpType::kUnary}));
  EXPECT_EQ(std::get<UnaryParams>(fused.ops[0].params).function, UnaryFunction::kMish);
}

TEST_F(FusionTest, GatesThatAreNoActivationStay) {
  const int gate = Unary(x, UnaryFunction::kLogistic);
  EXPECT_EQ(Fused({b.Op(OpType::kMul, {Conv(x), gate})}).ops.size(), 3u);  // of another tensor
  EXPECT_EQ(Fused({b.Op(OpType::kMul, {x, gate}), gate}).ops.size(), 2u);  // which the caller reads
  EXPECT_EQ(Fused({b.Op(OpType::kMul, {x, gate}, {}, Activation::kRelu)}).ops.size(), 2u);
  const int sum = b.Op(OpType::kAdd, {Unary(x, UnaryFunction::kExp), b.Constant({1, 1, 1, 1}, {1.5f})});
  const int tanh = Unary(Unary(sum, UnaryFunction::kLog), UnaryFunction::kTanh);
  EXPECT_EQ(Fused({b.Op(OpType::kMul, {x, tanh})}).ops.size(), 5u);
}

TEST_F(FusionTest, AnInvalidGraphIsAnErrorAndStaysAsItWas) {
  Graph graph = b.Finish({Unary(Conv(x), UnaryFunction::kRelu)});
  graph.tensor(graph.outputs[0]).shape.c = 5;
  EXPECT_NE(FuseGraph(&graph).message().find("expected the output shape"), std::string::npos);
  EXPECT_EQ(graph.ops.size(), 2u);
}

// Random graphs must have the same outputs fused and as they were, and nothing that should have gone may be left.
TEST(FusionPropertyTest, RandomGraphsKeepTheirResults) {
  const auto backend = CreateReferenceBackend();
  size_t ops_before = 0, ops_after = 0;
  for (uint32_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Graph graph = RandomGraph(seed);
    Graph fused = graph;
    ASSERT_EQ(FuseGraph(&fused).message(), "");
    ASSERT_EQ(ValidateGraph(fused).message(), "");
    ops_before += graph.ops.size();
    ops_after += fused.ops.size();
    std::mt19937 rng(seed);
    const std::vector<std::vector<float>> inputs{RandomFloats(rng, graph.tensor(graph.inputs[0]).shape.size())};
    const auto before = RunGraph(*backend, graph, inputs), after = RunGraph(*backend, fused, inputs);
    for (size_t k = 0; k < before.size(); ++k) {
      float largest = 1.0f;
      for (const float v : before[k]) largest = std::max(largest, std::fabs(v));
      for (size_t i = 0; i < before[k].size(); ++i) ASSERT_NEAR(before[k][i], after[k][i], 1e-5f * largest);
    }
  }
  EXPECT_LT(ops_after, ops_before * 9 / 10);  // the generator does make ops to fold
}

}  // namespace
}  // namespace mcpruner
