#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "delegate/cpu/cpu_backend.h"
#include "delegate/cpu/testing/compare.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/op_lists.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

TEST(UnaryTest, EveryFunctionAgreesWithTheReference) {
  for (const UnaryFunction function : kAllUnaryFunctions) {
    for (const Shape& shape :
         {Shape{1, 1, 1, 70}, Shape{2, 3, 19, 2}, Shape{1, 2, 64, 3}, Shape{2, 3, 7, 21}, Shape{1, 2, 3, 9}}) {
      SCOPED_TRACE(static_cast<int>(function));
      GraphBuilder b;
      // Inputs are -1 .. 1; ten times that reaches every bend of the functions. The exponential is larger there.
      const float scale = function == UnaryFunction::kExp ? 2.0f : 10.0f;
      const int scaled = b.Op(OpType::kMul, {b.Input(shape), b.Constant({1, 1, 1, 1}, {scale})});
      const int x = b.Op(OpType::kMaxPool, {scaled}, PoolParams{{}, 1, 1});  // which takes no epilogue
      const int y = b.Op(OpType::kUnary, {x}, UnaryParams{function, 0.2f});
      ExpectAgreement(b.Finish({y}), 1, function == UnaryFunction::kSquare ? 2e-5f : 4e-6f, "unary");
    }
  }
}

// Narrow rows of equal pitch are one long row, with the zeros around it that a convolution behind it wants.
TEST(UnaryTest, NarrowRowsHaveTheirZeros) {
  for (const int width : {1, 2, 3, 5, 7, 8, 9, 12, 15, 17, 20, 33}) {
    std::mt19937 rng(static_cast<uint32_t>(width));
    const Window same{1, 1, 1, 1, {1, 1, 1, 1}};
    const auto layer = RandomLayer(rng, LayerKind::kConv2D, {4, 3, 3, 24}, 4, 2, 1.0);
    GraphBuilder b;
    const int x = b.Input({2, 3, width, 24});
    const int y = b.Op(OpType::kUnary, {x}, UnaryParams{UnaryFunction::kExp});  // which is not 0 of 0
    const int z = b.Op(OpType::kUnary, {y}, UnaryParams{UnaryFunction::kExp});
    const int of_both = b.Op(OpType::kAdd, {b.Op(OpType::kConv, {y}, ConvParams{same, layer}),
                                            b.Op(OpType::kConv, {z}, ConvParams{same, layer})});
    ExpectAgreement(b.Finish({of_both}), 3, 1e-3f, "binary");
  }
}

// Large arguments are computed in another way than small ones. What lies beside a pixel has no say in its last bits.
TEST(UnaryTest, APixelDoesNotDependOnItsNeighbours) {
  for (const UnaryFunction function : kAllUnaryFunctions) {
    for (const Shape& shape : {Shape{1, 1, 40, 1}, Shape{1, 1, 9, 10}}) {
      GraphBuilder b;
      const Graph graph = b.Finish({b.Op(OpType::kUnary, {b.Input(shape)}, UnaryParams{function, 0.2f})});
      std::mt19937 rng(1);
      std::vector<float> x = RandomFloats(rng, shape.size());
      const auto backend = CreateCpuBackend({});
      ASSERT_TRUE(backend.ok());
      const std::vector<float> beside_small = RunGraph(**backend, graph, {x})[0];
      for (size_t i = 0; i < x.size(); i += 3) x[i] = i % 2 == 0 ? 1e30f : -1e30f;
      const std::vector<float> beside_large = RunGraph(**backend, graph, {x})[0];
      for (size_t i = 0; i < x.size(); ++i) {
        if (i % 3 == 0 || std::isnan(beside_small[i])) continue;  // LOG and others are not defined below 0
        EXPECT_EQ(beside_large[i], beside_small[i]) << static_cast<int>(function);
      }
    }
  }
}

}  // namespace
}  // namespace mcpruner
