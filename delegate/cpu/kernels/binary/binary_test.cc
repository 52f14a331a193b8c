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

TEST(BinaryTest, EveryFunctionBroadcastsEitherOperandAsTheReference) {
  const std::vector<Shape> others = {{2, 5, 19, 3}, {1, 1, 1, 3},  {1, 1, 1, 1}, {2, 1, 1, 3},
                                     {1, 5, 1, 1},  {1, 1, 19, 1}, {2, 5, 19, 1}};
  std::mt19937 rng(1);
  for (const OpType type : kAllBinaryOps) {
    for (const Shape& other : others) {
      for (const bool swapped : {false, true}) {
        GraphBuilder b;
        const int x = b.Input({2, 5, 19, 3});
        const int constant = b.Constant(other, RandomFloats(rng, other.size()));
        const std::vector<int> inputs = swapped ? std::vector<int>{constant, x} : std::vector<int>{x, constant};
        const auto activation = static_cast<Activation>(RandomBelow(rng, 4));
        const int y = b.Op(type, inputs, {}, TakesActivation(type) ? activation : Activation::kNone);
        SCOPED_TRACE(OpTypeName(type));
        ExpectAgreement(b.Finish({y}), 2, 1e-6f, "binary");
      }
    }
  }
}

// Narrow rows of equal pitch are one long row, with the zeros around it that a convolution behind it wants.
TEST(BinaryTest, NarrowRowsOfManyChannels) {
  std::mt19937 rng(2);
  const Window same{1, 1, 1, 1, {1, 1, 1, 1}};
  for (const int width : {1, 2, 3, 7, 8, 9, 13, 17, 20, 33}) {
    const Shape shape{2, 3, width, 19};
    for (const Shape& other : {shape, Shape{1, 1, 1, 19}, Shape{2, 1, 1, 19}, Shape{1, 3, 1, 19}, Shape{1, 1, 1, 1}}) {
      const auto layer = RandomLayer(rng, LayerKind::kConv2D, {4, 3, 3, 19}, 4, 2, 1.0);
      GraphBuilder b;
      const int x = b.Op(OpType::kUnary, {b.Input(shape)}, UnaryParams{UnaryFunction::kExp});
      const int y = b.Op(OpType::kAdd, {x, b.Constant(other, RandomFloats(rng, other.size()))}, {},
                         static_cast<Activation>(RandomBelow(rng, 4)));
      const int z = b.Op(OpType::kMul, {b.Op(OpType::kConv, {x}, ConvParams{same, layer}),
                                        b.Op(OpType::kConv, {y}, ConvParams{same, layer})});
      ExpectAgreement(b.Finish({z}), 3, 1e-3f, "binary");
    }
  }
}

TEST(BinaryTest, IsStreamedBehindItsFirstInput) {
  ExpectAgreementBetweenConvolutions([](GraphBuilder& b, int, int maps) {
    std::mt19937 rng(1);
    return b.Op(OpType::kMul, {maps, b.Constant({1, 1, 1, 24}, RandomFloats(rng, 24))});
  });
}

TEST(BinaryTest, TakesWidthsWithTailsAndVectors) {
  for (const Shape& shape : {Shape{1, 1, 1, 70}, Shape{3, 1, 1, 5}, Shape{1, 2, 64, 2}, Shape{1, 3, 7, 4}}) {
    GraphBuilder b;
    const int x = b.Input(shape);
    ExpectAgreement(b.Finish({b.Op(OpType::kAdd, {x, x})}), 3, 1e-6f, "binary");
  }
}

}  // namespace
}  // namespace mcpruner
