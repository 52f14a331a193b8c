#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "delegate/cpu/testing/compare.h"
#include "delegate/graph/shapes.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

int AddNormalize(GraphBuilder* b, int x, const NormalizeParams& params, std::mt19937& rng) {
  const int channels = b->shape(x).c;
  const int scale = b->Constant({1, 1, 1, channels}, RandomFloats(rng, channels));
  const int shift = b->Constant({1, 1, 1, channels}, RandomFloats(rng, channels));
  const auto activation = static_cast<Activation>(RandomBelow(rng, 4));
  return b->Op(OpType::kNormalize, {x, scale, shift}, params, activation);
}

TEST(NormalizeTest, AgreesWithTheReferenceAtEverySize) {
  std::mt19937 rng(1);
  for (const int width : {1, 2, 7, 15, 16, 17, 33, 64}) {
    for (const int height : {1, 3, 7}) {
      for (const NormalizeParams& params :
           {NormalizeParams{true, 1, 1e-3f}, NormalizeParams{true, 2, 1e-3f}, NormalizeParams{true, 6, 1e-3f},
            NormalizeParams{false, 6, 1e-3f}, NormalizeParams{false, 3, 1e-3f}}) {
        const Shape shape{2, height, width, 6};
        SCOPED_TRACE(ShapeText(shape) + " in groups of " + std::to_string(params.group));
        GraphBuilder b;
        ExpectAgreement(b.Finish({AddNormalize(&b, b.Input(shape), params, rng)}), 1, 2e-5f, "normalize");
      }
    }
  }
}

TEST(NormalizeTest, OfPlainVectors) {
  std::mt19937 rng(1);
  for (const int channels : {1, 15, 16, 700}) {
    GraphBuilder b;
    const int x = b.Input({3, 1, 1, channels});
    ExpectAgreement(b.Finish({AddNormalize(&b, x, {false, channels, 1e-3f}, rng)}), 1, 2e-5f, "normalize");
  }
}

// A variance that is found as the mean of squares less the square of the mean would be off by a third here.
TEST(NormalizeTest, AMeanThatIsFarFromZeroLosesNothing) {
  std::mt19937 rng(1);
  for (const NormalizeParams& params : {NormalizeParams{true, 2, 1e-6f}, NormalizeParams{false, 64, 1e-6f}}) {
    GraphBuilder b;
    const int far = b.Op(OpType::kAdd, {b.Input({1, 40, 50, 64}), b.Constant({1, 1, 1, 1}, {1000.0f})});
    ExpectAgreement(b.Finish({AddNormalize(&b, far, params, rng)}), 1, 2e-3f, "normalize");
  }
}

// Convolutions around it read borders, and are streamed with it where it works pixel by pixel.
TEST(NormalizeTest, StandsBetweenConvolutions) {
  std::mt19937 rng(1);
  const Window same{1, 1, 1, 1, {1, 1, 1, 1}};
  const auto first = RandomLayer(rng, LayerKind::kConv2D, {16, 3, 3, 3}, 4, 2, 1.0);
  const auto second = RandomLayer(rng, LayerKind::kConv2D, {4, 3, 3, 16}, 4, 2, 1.0);
  for (const NormalizeParams& params : {NormalizeParams{true, 4, 1e-3f}, NormalizeParams{false, 16, 1e-3f}}) {
    GraphBuilder b;
    const int maps = b.Op(OpType::kConv, {b.Input({2, 120, 150, 3})}, ConvParams{same, first});
    const int normal = AddNormalize(&b, maps, params, rng);
    ExpectAgreement(b.Finish({b.Op(OpType::kConv, {normal}, ConvParams{same, second})}), 2, 1e-4f, "conv");
  }
}

}  // namespace
}  // namespace mcpruner
