#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

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
      // Inputs are -1 .. 1; ten times that reaches every bend of the functions.
      const int x = b.Op(OpType::kMul, {b.Input(shape), b.Constant({1, 1, 1, 1}, {10.0f})});
      const int y = b.Op(OpType::kUnary, {x}, UnaryParams{function});
      ExpectAgreement(b.Finish({y}), 1, 2e-6f, "unary");
    }
  }
}

// Among these values, exp(-x) overflows, is a denormal number, or is nothing beside 1.
TEST(UnaryTest, LogisticIsRightFarFromZero) {
  const std::vector<float> values{-1e38f, -200, -104, -103, -90, -88, -87, -20, -1e-3f, -0.0f, 1e-30f, 17, 90, 1e38f};
  GraphBuilder b;
  const int x = b.Op(OpType::kMul, {b.Input({1, 1, 1, 1}), b.Constant({1, 1, 1, 14}, values)});
  const int y = b.Op(OpType::kUnary, {x}, UnaryParams{UnaryFunction::kLogistic});
  ExpectAgreement(b.Finish({y}), std::vector<float>{1.0f}, 1e-6f, "unary");
}

}  // namespace
}  // namespace mcpruner
