#include <gtest/gtest.h>

#include <random>
#include <string>

#include "delegate/cpu/testing/compare.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

TEST(ShuffleTest, AgreesWithTheReference) {
  for (const Shape& shape :
       {Shape{2, 5, 19, 12}, Shape{1, 1, 1, 24}, Shape{3, 2, 1, 36}, Shape{2, 3, 7, 36}, Shape{1, 2, 9, 48}}) {
    for (const int groups : {1, 2, 3, 4, 12}) {
      GraphBuilder b;
      const int y = b.Op(OpType::kShuffle, {b.Input(shape)}, ShuffleParams{groups});
      ExpectAgreement(b.Finish({y}), 1, 0.0f, "shuffle");
    }
  }
}

// A border that another reader wants can make the rows of the input as far apart as those of a group in the output.
TEST(ShuffleTest, AnotherReaderOfTheInput) {
  for (const int groups : {2, 3, 4}) {
    for (int width = 1; width <= 9; ++width) {
      for (const int around : {1, 2, 3}) {
        SCOPED_TRACE(std::to_string(groups) + " groups, width " + std::to_string(width));
        std::mt19937 rng(1);
        const int channels = 10 * groups, size = 2 * around + 1;
        const auto layer = RandomLayer(rng, LayerKind::kConv2D, {channels, size, size, channels}, 4, 2, 0.5);
        GraphBuilder b;
        const int x = b.Op(OpType::kUnary, {b.Input({1, 2, width, channels})}, UnaryParams{UnaryFunction::kNeg});
        const int read = b.Op(OpType::kConv, {x}, ConvParams{{1, 1, 1, 1, {around, around, around, around}}, layer});
        const int mixed = b.Op(OpType::kShuffle, {x}, ShuffleParams{groups});
        ExpectAgreement(b.Finish({read, mixed}), 3, 1e-4f, "shuffle");
      }
    }
  }
}

TEST(ShuffleTest, IsStreamedBetweenConvolutions) {
  ExpectAgreementBetweenConvolutions(
      [](GraphBuilder& b, int, int maps) { return b.Op(OpType::kShuffle, {maps}, ShuffleParams{3}); });
}

}  // namespace
}  // namespace mcpruner
