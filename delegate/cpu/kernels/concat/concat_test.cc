#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "delegate/cpu/testing/compare.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

TEST(ConcatTest, ChannelsAreCopiedAndOtherAxesRunThroughTheReference) {
  for (int axis = 0; axis < 4; ++axis) {
    SCOPED_TRACE("axis " + std::to_string(axis));
    GraphBuilder b;
    const int x = b.Input({2, 3, 19, 4});
    const int y = b.Op(OpType::kUnary, {x}, UnaryParams{});
    const int z = b.Op(OpType::kConcat, {x, y, x}, ConcatParams{axis});
    ExpectAgreement(b.Finish({z}), 1, 0.0f, axis == 3 ? "concat" : "reference");
  }
}

}  // namespace
}  // namespace mcpruner
