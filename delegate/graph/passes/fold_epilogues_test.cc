#include "delegate/graph/passes/fold_epilogues.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "delegate/cpu/reference_backend.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

class FoldEpiloguesTest : public testing::Test {
 protected:
  FoldEpiloguesTest() : x(b.Input({1, 4, 7, 4})) {}

  int Conv(int input, Activation activation = Activation::kNone) {
    const auto layer = RandomLayer(rng, LayerKind::kConv2D, {4, 1, 1, 4}, 4, 1, 1.0);
    return b.Op(OpType::kConv, {input}, ConvParams{{}, layer}, activation);
  }
  int Unary(int input, UnaryFunction function) { return b.Op(OpType::kUnary, {input}, UnaryParams{function, 0.3f}); }
  int Prelu(int input, const Shape& slope) {
    return b.Op(OpType::kPrelu, {input, b.Constant(slope, RandomFloats(rng, slope.size()))});
  }
  // Folds, and checks that the reference makes the same of both graphs.
  Graph Folded(std::vector<int> outputs) {
    const Graph graph = b.Finish(std::move(outputs));
    const Graph folded = WithEpilogues(graph);
    EXPECT_EQ(ValidateGraph(folded).message(), "");
    const auto backend = CreateReferenceBackend();
    const std::vector<std::vector<float>> inputs{RandomFloats(rng, b.shape(x).size())};
    EXPECT_EQ(RunGraph(*backend, graph, inputs), RunGraph(*backend, folded, inputs));
    return folded;
  }

  std::mt19937 rng{1};
  GraphBuilder b;
  const int x;
};

TEST_F(FoldEpiloguesTest, AFunctionBecomesTheEpilogueOfTheOpBefore) {
  const int y = Unary(Conv(x, Activation::kRelu6), UnaryFunction::kLeakyRelu);
  const Graph folded = Folded({y});
  ASSERT_EQ(folded.ops.size(), 1u);
  EXPECT_EQ(folded.ops[0].type, OpType::kConv);
  EXPECT_EQ(folded.ops[0].output, y);
  EXPECT_EQ(folded.ops[0].activation, Activation::kRelu6);
  EXPECT_EQ(folded.ops[0].epilogue->unary.function, UnaryFunction::kLeakyRelu);
  EXPECT_EQ(folded.ops[0].epilogue->unary.alpha, 0.3f);
}

TEST_F(FoldEpiloguesTest, PreluOfChannelsBecomesOneToo) {
  const int sum = b.Op(OpType::kAdd, {x, x});
  const Graph folded = Folded({Prelu(sum, {1, 1, 1, 4})});
  ASSERT_EQ(folded.ops.size(), 1u);
  EXPECT_EQ(folded.ops[0].epilogue->alphas->size(), 4u);
}

TEST_F(FoldEpiloguesTest, OfTwoFunctionsTheFirstIsTaken) {
  const Graph folded = Folded({Unary(Unary(Conv(x), UnaryFunction::kTanh), UnaryFunction::kExp)});
  ASSERT_EQ(folded.ops.size(), 2u);
  EXPECT_EQ(folded.ops[0].epilogue->unary.function, UnaryFunction::kTanh);
}

TEST_F(FoldEpiloguesTest, WhatTheCallerReadsStays) {
  const int conv = Conv(x);
  EXPECT_EQ(Folded({Unary(conv, UnaryFunction::kTanh), conv}).ops.size(), 2u);
}

TEST_F(FoldEpiloguesTest, WhatOthersReadStays) {
  const int conv = Conv(x);
  EXPECT_EQ(Folded({b.Op(OpType::kAdd, {Unary(conv, UnaryFunction::kTanh), conv})}).ops.size(), 3u);
}

TEST_F(FoldEpiloguesTest, ClampsStay) {
  EXPECT_EQ(Folded({Unary(Conv(x, Activation::kRelu), UnaryFunction::kRelu6)}).ops.size(), 2u);
}

TEST_F(FoldEpiloguesTest, AlphasOfPixelsStay) { EXPECT_EQ(Folded({Prelu(Conv(x), {1, 4, 7, 4})}).ops.size(), 2u); }

TEST_F(FoldEpiloguesTest, WhatIsBehindOtherOpsStays) {
  const int pooled = b.Op(OpType::kMaxPool, {x}, PoolParams{{}, 1, 1});
  EXPECT_EQ(Folded({Unary(Unary(pooled, UnaryFunction::kTanh), UnaryFunction::kExp)}).ops.size(), 3u);
}

TEST(FoldEpiloguesPropertyTest, MapsOfOnePixelStay) {
  std::mt19937 rng(1);
  GraphBuilder b;
  const auto layer = RandomLayer(rng, LayerKind::kConv2D, {4, 1, 1, 4}, 4, 1, 1.0);
  const int conv = b.Op(OpType::kConv, {b.Input({3, 1, 1, 4})}, ConvParams{{}, layer});
  const Graph graph = b.Finish({b.Op(OpType::kUnary, {conv}, UnaryParams{UnaryFunction::kTanh})});
  EXPECT_EQ(WithEpilogues(graph).ops.size(), 2u);
}

TEST(FoldEpiloguesPropertyTest, RandomGraphsKeepTheirBits) {
  const auto backend = CreateReferenceBackend();
  size_t epilogues = 0;
  for (uint32_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Graph graph = RandomGraph(seed), folded = WithEpilogues(graph);
    ASSERT_EQ(ValidateGraph(folded).message(), "");
    std::mt19937 rng(seed);
    const std::vector<std::vector<float>> inputs{RandomFloats(rng, graph.tensor(graph.inputs[0]).shape.size())};
    const auto expected = RunGraph(*backend, graph, inputs), actual = RunGraph(*backend, folded, inputs);
    for (size_t k = 0; k < expected.size(); ++k) {
      for (size_t i = 0; i < expected[k].size(); ++i) {
        ASSERT_TRUE(expected[k][i] == actual[k][i] || (std::isnan(expected[k][i]) && std::isnan(actual[k][i])));
      }
    }
    for (const Op& op : folded.ops) epilogues += op.epilogue.has_value() ? 1 : 0;
  }
  EXPECT_GT(epilogues, 20u);
}

}  // namespace
}  // namespace mcpruner
