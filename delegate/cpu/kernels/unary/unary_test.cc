#include <gtest/gtest.h>

#include "delegate/cpu/testing/compare.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/op_lists.h"

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

}  // namespace
}  // namespace mcpruner
