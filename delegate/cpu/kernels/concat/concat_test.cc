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

// Narrow rows of equal pitch are copied as one long row, others one by one; a convolution behind it wants zeros around.
TEST(ConcatTest, RandomWidthsAndChannels) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 rng(seed);
    GraphBuilder b;
    const int x =
        b.Input({1 + RandomBelow(rng, 2), 1 + RandomBelow(rng, 4), 1 + RandomBelow(rng, 40), 1 + RandomBelow(rng, 24)});
    const int y = b.Op(OpType::kUnary, {x}, UnaryParams{UnaryFunction::kNeg});
    const int joined = b.Op(OpType::kConcat, {x, y, x}, ConcatParams{3});
    const int channels = b.shape(joined).c;
    const int around = 1 + RandomBelow(rng, 2), size = 2 * around + 1;
    const auto layer = RandomLayer(rng, LayerKind::kConv2D, {3, size, size, channels}, 4, 2, 1.0);
    const int z = b.Op(OpType::kConv, {joined}, ConvParams{{1, 1, 1, 1, {around, around, around, around}}, layer});
    std::vector<int> outputs{z};
    if (RandomBelow(rng, 2) == 0) outputs = {joined, z};
    ExpectAgreement(b.Finish(outputs), seed, 1e-4f, "conv");
  }
}

TEST(ConcatTest, IsStreamedBehindItsFirstInput) {
  ExpectAgreementBetweenConvolutions(
      [](GraphBuilder& b, int x, int maps) { return b.Op(OpType::kConcat, {maps, x}, ConcatParams{3}); });
}

}  // namespace
}  // namespace mcpruner
