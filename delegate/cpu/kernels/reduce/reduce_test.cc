#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "delegate/cpu/testing/compare.h"
#include "delegate/graph/shapes.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/op_lists.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

void Check(OpType type, const Shape& shape, float tolerance) {
  for (const ReduceParams& params : kAllReductions) {
    SCOPED_TRACE(std::string(OpTypeName(type)) + ShapeText(shape) + " to " + ShapeText(ReducedShape(params, shape)));
    GraphBuilder b;
    ExpectAgreement(b.Finish({b.Op(type, {b.Input(shape)}, params)}), 1, tolerance, "reduce");
  }
}

TEST(ReduceTest, AgreesWithTheReferenceAtEverySize) {
  for (const int width : {1, 2, 3, 7, 8, 15, 16, 17, 33, 64}) {
    for (const int height : {1, 3, 7}) {
      for (const OpType type : kAllReduceOps) Check(type, {2, height, width, 5}, 1e-4f);
    }
  }
}

TEST(ReduceTest, OfPlainVectors) {
  for (const int channels : {1, 2, 15, 16, 17, 300}) {
    for (const OpType type : kAllReduceOps) Check(type, {3, 1, 1, channels}, 1e-4f);
  }
}

// A convolution behind it reads a border around the map that it makes.
TEST(ReduceTest, WritesTheBorderThatItsReaderWants) {
  std::mt19937 rng(1);
  for (const int width : {1, 7, 16}) {
    for (const ReduceParams& params : kAllReductions) {
      const Shape shape{2, 5, width, 3};
      GraphBuilder b;
      const int y = b.Op(OpType::kMean, {b.Input(shape)}, params);
      const auto layer = RandomLayer(rng, LayerKind::kConv2D, {4, 3, 3, b.shape(y).c}, 4, 2, 1.0);
      const Window same{1, 1, 1, 1, {1, 1, 1, 1}};
      ExpectAgreement(b.Finish({b.Op(OpType::kConv, {y}, ConvParams{same, layer})}), 2, 1e-5f, "conv");
    }
  }
}

// In one running float32 sum, 10,000 terms lose 1e-5 and more.
TEST(ReduceTest, MeansOfManyElementsLoseNothing) {
  for (const Shape& shape : {Shape{1, 100, 100, 2}, Shape{1, 1, 10007, 1}, Shape{1, 10007, 1, 1}, Shape{1, 640, 480, 1},
                             Shape{1, 1, 1, 10007}, Shape{1, 1, 2, 10007}}) {
    for (const ReduceParams& params : kAllReductions) {
      SCOPED_TRACE(ShapeText(shape) + " to " + ShapeText(ReducedShape(params, shape)));
      GraphBuilder b;
      const int terms = b.Op(OpType::kAdd, {b.Input(shape), b.Constant({1, 1, 1, 1}, {1.1f})});
      ExpectAgreement(b.Finish({b.Op(OpType::kMean, {terms}, params)}), 1, 4e-7f, "reduce");
    }
  }
}

}  // namespace
}  // namespace mcpruner
