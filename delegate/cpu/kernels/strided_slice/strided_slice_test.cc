#include <gtest/gtest.h>

#include <random>

#include "delegate/cpu/testing/compare.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

TEST(StridedSliceTest, AgreesWithTheReferenceInEveryDimensionAndDirection) {
  std::mt19937 rng(1);
  for (const Shape& shape :
       {Shape{3, 7, 19, 5}, Shape{1, 1, 1, 33}, Shape{2, 5, 1, 3}, Shape{1, 40, 17, 2}, Shape{2, 3, 7, 30}}) {
    const std::array<int, 4> dims{shape.n, shape.h, shape.w, shape.c};
    for (int i = 0; i < 40; ++i) {
      StridedSliceParams p;
      for (size_t axis = 0; axis < 4; ++axis) {
        const int stride = 1 + RandomBelow(rng, 3), begin = RandomBelow(rng, (dims[axis] + 1) / 2);
        const int size = (dims[axis] - begin + stride - 1) / stride;
        const bool backwards = RandomBelow(rng, 4) == 0;
        p.begin[axis] = backwards ? begin + (size - 1) * stride : begin;
        p.stride[axis] = backwards ? -stride : stride;
        p.size[axis] = size;
      }
      GraphBuilder b;
      ExpectAgreement(b.Finish({b.Op(OpType::kStridedSlice, {b.Input(shape)}, p)}), 1, 0.0f, "slice");
    }
  }
}

TEST(StridedSliceTest, AStrideThatNothingNeedsMayBeLarge) {
  GraphBuilder b;
  const StridedSliceParams p{{0, 2, 1, 0}, {1, 1, 1, 1}, {1, 2147483647, -2147483647, 2147483647}};
  ExpectAgreement(b.Finish({b.Op(OpType::kStridedSlice, {b.Input({1, 4, 4, 2})}, p)}), 1, 0.0f, "slice");
}

// A convolution behind it reads a border around the slice, and both are streamed with what is before.
TEST(StridedSliceTest, IsStreamedBetweenConvolutions) {
  std::mt19937 rng(1);
  const Window same{1, 1, 1, 1, {1, 1, 1, 1}};
  const auto first = RandomLayer(rng, LayerKind::kConv2D, {16, 3, 3, 3}, 4, 2, 1.0);
  const auto second = RandomLayer(rng, LayerKind::kConv2D, {4, 3, 3, 8}, 4, 2, 1.0);
  for (const int begin : {0, 3}) {
    GraphBuilder b;
    const int maps = b.Op(OpType::kConv, {b.Input({2, 200, 150, 3})}, ConvParams{same, first});
    const StridedSliceParams p{{0, begin, 1, 8}, {2, 90, 149, 8}, {1, 2, 1, 1}};
    const int half = b.Op(OpType::kStridedSlice, {maps}, p);
    ExpectAgreement(b.Finish({b.Op(OpType::kConv, {half}, ConvParams{same, second})}), 2, 1e-4f, "conv");
  }
}

}  // namespace
}  // namespace mcpruner
