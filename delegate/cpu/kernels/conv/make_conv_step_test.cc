#include "delegate/cpu/kernels/conv/make_conv_step.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "delegate/cpu/engine/simd_targets.h"
#include "delegate/cpu/step/layout_plan.h"
#include "delegate/cpu/testing/compare.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

std::shared_ptr<const SparseLayer> Layer(const DenseShape& shape, int num_patterns) {
  std::mt19937 rng(1);
  return RandomLayer(rng, LayerKind::kConv2D, shape, 4, num_patterns, 1.0);
}

Graph OneConv(const Shape& in, const DenseShape& shape, int num_patterns, const Window& window) {
  GraphBuilder b;
  const int y = b.Op(OpType::kConv, {b.Input(in)}, ConvParams{window, Layer(shape, num_patterns)});
  return b.Finish({y});
}

// Returns the micro-kernel that a graph's only op gets, without the instruction set.
std::string MicroKernelOf(const Graph& graph) {
  std::vector<TensorRef> tensors;
  for (const HcwLayout& layout : PlanLayouts(graph)) tensors.push_back({layout});
  const std::unique_ptr<Step> step = MakeConvStep({graph, graph.ops[0], tensors, *RunnableMicroKernels()[0]});
  return step == nullptr ? "" : step->micro_kernel().substr(0, step->micro_kernel().find(' ', 5));
}

constexpr Window kSame{1, 1, 1, 1, {1, 1, 1, 1}};
constexpr Window kColumns{1, 1, 1, 1, {1, 1, 0, 0}};

TEST(MakeConvStepTest, EachConvolutionGetsTheWayThatSuitsIt) {
  EXPECT_EQ(MicroKernelOf(OneConv({1, 1, 1, 8}, {8, 1, 1, 8}, 0, {})), "fully_connected");
  EXPECT_EQ(MicroKernelOf(OneConv({1, 16, 16, 8}, {8, 3, 3, 8}, 0, kSame)), "conv row-winograd");
  EXPECT_EQ(MicroKernelOf(OneConv({1, 16, 16, 8}, {8, 3, 3, 8}, 4, kSame)), "conv g4");
  EXPECT_EQ(MicroKernelOf(OneConv({1, 16, 16, 8}, {8, 1, 1, 8}, 0, {})), "conv g4");
}

TEST(MakeConvStepTest, NullWhereNoWayCanRunIt) {
  // The padding is beyond the widest border, with a stride of 1.
  EXPECT_EQ(MicroKernelOf(OneConv({1, 4, 40, 8}, {8, 1, 1, 8}, 0, {1, 1, 1, 1, {0, 0, 100, 100}})), "");
}

// There are so many filters that one tile of one column is made at a time: its products are then a 1x1 kernel on 1x1
// images.
TEST(MakeConvStepTest, ProductsOfOnePixelAreAFullyConnectedLayer) {
  const Graph graph = OneConv({1, 64, 1, 32}, {8192, 3, 1, 32}, 0, kColumns);
  EXPECT_EQ(MicroKernelOf(graph), "conv row-winograd");
  ExpectAgreement(graph, 1, 2e-4f, "conv row-winograd");
}

}  // namespace
}  // namespace mcpruner
