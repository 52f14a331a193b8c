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
    for (const Shape& shape : {Shape{1, 1, 1, 70}, Shape{2, 3, 19, 2}, Shape{1, 2, 64, 3}}) {
      SCOPED_TRACE(static_cast<int>(function));
      GraphBuilder b;
      // Inputs are -1 .. 1; ten times that reaches every bend of the functions. The exponential is larger there.
      const float scale = function == UnaryFunction::kExp ? 2.0f : 10.0f;
      const int x = b.Op(OpType::kMul, {b.Input(shape), b.Constant({1, 1, 1, 1}, {scale})});
      const int y = b.Op(OpType::kUnary, {x}, UnaryParams{function, 0.2f});
      ExpectAgreement(b.Finish({y}), 1, function == UnaryFunction::kSquare ? 2e-5f : 4e-6f, "unary");
    }
  }
}

// Rows of 9 pixels lie side by side, so that a vector reaches into the next channel. Functions compute vectors with
// large arguments in another way, and a last bit may differ.
TEST(UnaryTest, ARowDoesNotDependOnWhatLiesBehindIt) {
  constexpr int kWidth = 9;
  for (const UnaryFunction function : kAllUnaryFunctions) {
    GraphBuilder b;
    const Graph graph = b.Finish({b.Op(OpType::kUnary, {b.Input({1, 1, kWidth, 2})}, UnaryParams{function, 0.2f})});
    std::mt19937 rng(1);
    std::vector<float> x = RandomFloats(rng, 2 * kWidth);
    const auto backend = CreateCpuBackend({});
    ASSERT_TRUE(backend.ok());
    const std::vector<float> beside_small = RunGraph(**backend, graph, {x})[0];
    for (size_t i = 1; i < x.size(); i += 2) x[i] = 1e30f;  // the second channel
    const std::vector<float> beside_large = RunGraph(**backend, graph, {x})[0];
    for (size_t i = 0; i < x.size(); i += 2) {
      if (std::isnan(beside_small[i])) continue;  // LOG and others are not defined below 0
      EXPECT_EQ(beside_large[i], beside_small[i]) << static_cast<int>(function);
    }
  }
}

}  // namespace
}  // namespace mcpruner
