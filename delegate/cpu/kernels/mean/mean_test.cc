#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "delegate/cpu/testing/compare.h"
#include "delegate/graph/shapes.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

TEST(MeanTest, AgreesWithTheReferenceAtEverySize) {
  for (const int width : {1, 2, 3, 7, 8, 15, 16, 17, 33, 64}) {
    for (const int height : {1, 3, 7}) {
      SCOPED_TRACE(std::to_string(height) + " x " + std::to_string(width));
      GraphBuilder b;
      const int y = b.Op(OpType::kMean, {b.Input({2, height, width, 5})});
      ExpectAgreement(b.Finish({y}), 1, 1e-6f, "mean");
    }
  }
}

// In one running float32 sum, 10,000 terms lose 1e-5 and more.
TEST(MeanTest, ManyPixelsLoseNothing) {
  for (const Shape& shape :
       {Shape{1, 100, 100, 2}, Shape{1, 1, 10007, 1}, Shape{1, 10007, 1, 1}, Shape{1, 640, 480, 1}}) {
    SCOPED_TRACE(ShapeText(shape));
    GraphBuilder b;
    const int terms = b.Op(OpType::kAdd, {b.Input(shape), b.Constant({1, 1, 1, 1}, {1.1f})});
    ExpectAgreement(b.Finish({b.Op(OpType::kMean, {terms})}), 1, 4e-7f, "mean");
  }
}

}  // namespace
}  // namespace mcpruner
