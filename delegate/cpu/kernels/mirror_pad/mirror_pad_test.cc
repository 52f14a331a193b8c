#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

#include "delegate/cpu/testing/compare.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

// A convolution that reads it wants zeros around it.
TEST(MirrorPadTest, RandomPadsAgreeWithTheReference) {
  for (uint32_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 rng(seed);
    const Shape shape{1 + RandomBelow(rng, 2), 1 + RandomBelow(rng, 5), 1 + RandomBelow(rng, 40), 3};
    MirrorPadParams params;
    params.with_edge = RandomBelow(rng, 2) == 0;
    const std::array<int, 4> sizes{shape.n, shape.h, shape.w, shape.c};
    for (size_t i = 0; i < 4; ++i) {
      const int most = sizes[i] - (params.with_edge ? 0 : 1);
      params.before[i] = RandomBelow(rng, most + 1);
      params.after[i] = RandomBelow(rng, most + 1);
    }
    GraphBuilder b;
    const int padded = b.Op(OpType::kMirrorPad, {b.Input(shape)}, params);
    ExpectAgreement(b.Finish({padded}), seed, 0.0f, "mirror_pad");
    GraphBuilder c;
    const int bordered = c.Op(OpType::kMirrorPad, {c.Input(shape)}, params);
    const auto layer = RandomLayer(rng, LayerKind::kConv2D, {4, 3, 3, c.shape(bordered).c}, 4, 2, 0.5);
    const Window same{1, 1, 1, 1, {1, 1, 1, 1}};
    ExpectAgreement(c.Finish({c.Op(OpType::kConv, {bordered}, ConvParams{same, layer})}), seed, 1e-5f, "conv");
  }
}

}  // namespace
}  // namespace mcpruner
