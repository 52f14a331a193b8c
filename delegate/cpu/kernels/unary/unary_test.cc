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
      // Inputs are -1 .. 1; ten times that reaches every bend.
      const int x = b.Op(OpType::kMul, {b.Input(shape), b.Constant({1, 1, 1, 1}, {10.0f})});
      const int y = b.Op(OpType::kUnary, {x}, UnaryParams{function});
      const bool logistic = function == UnaryFunction::kLogistic;
      ExpectAgreement(b.Finish({y}), 1, 2e-6f, logistic ? "reference" : "unary");
    }
  }
}

}  // namespace
}  // namespace mcpruner
