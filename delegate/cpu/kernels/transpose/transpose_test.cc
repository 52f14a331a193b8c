#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "delegate/cpu/testing/compare.h"
#include "delegate/graph/shapes.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

// A convolution behind it, at whose border it writes zeros.
TEST(TransposeTest, AgreesWithTheReferenceInEveryOrder) {
  std::mt19937 rng(1);
  for (const Shape& shape : {Shape{2, 5, 19, 3}, Shape{1, 1, 1, 33}, Shape{3, 1, 17, 40}, Shape{1, 70, 2, 16}}) {
    TransposeParams p;
    do {
      GraphBuilder b;
      const int y = b.Op(OpType::kTranspose, {b.Input(shape)}, p);
      SCOPED_TRACE(ShapeText(shape) + " to " + ShapeText(b.shape(y)));
      ExpectAgreement(b.Finish({y}), 1, 0.0f, "transpose");
      GraphBuilder c;
      const int moved = c.Op(OpType::kTranspose, {c.Input(shape)}, p);
      const auto layer = RandomLayer(rng, LayerKind::kConv2D, {4, 3, 3, c.shape(moved).c}, 4, 2, 0.5);
      const Window same{1, 1, 1, 1, {1, 1, 1, 1}};
      ExpectAgreement(c.Finish({c.Op(OpType::kConv, {moved}, ConvParams{same, layer})}), 1, 1e-5f, "conv");
    } while (std::next_permutation(p.order.begin(), p.order.end()));
  }
}

TEST(TransposeTest, IsStreamedWhereRowsStay) {
  std::mt19937 rng(1);
  const Window same{1, 1, 1, 1, {1, 1, 1, 1}};
  const auto first = RandomLayer(rng, LayerKind::kConv2D, {50, 3, 3, 3}, 4, 2, 1.0);
  const auto second = RandomLayer(rng, LayerKind::kConv2D, {4, 3, 3, 150}, 4, 2, 0.2);
  GraphBuilder b;
  const int maps = b.Op(OpType::kConv, {b.Input({2, 100, 150, 3})}, ConvParams{same, first});
  const int turned = b.Op(OpType::kTranspose, {maps}, TransposeParams{{0, 1, 3, 2}});
  ExpectAgreement(b.Finish({b.Op(OpType::kConv, {turned}, ConvParams{same, second})}), 2, 1e-4f, "conv");
}

}  // namespace
}  // namespace mcpruner
