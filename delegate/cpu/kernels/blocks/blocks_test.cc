#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "delegate/cpu/testing/compare.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

// Sizes leave tails in every vector width, for blocks that Highway interleaves and for larger ones.
TEST(BlocksTest, DepthToSpaceAgreesWithTheReference) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 rng(seed);
    const auto below = [&](int n) { return RandomBelow(rng, n); };
    DepthToSpaceParams params{1 + below(6), 1 + below(6)};
    if (below(2) == 0) params.crop_bottom = below(params.block_height);
    if (below(2) == 0) params.crop_right = below(params.block_width);
    const int channels = (1 + below(4)) * params.block_height * params.block_width;
    GraphBuilder b;
    const int x = b.Input({1 + below(2), 1 + below(5), 1 + below(40), channels});
    const int y = b.Op(OpType::kDepthToSpace, {x}, params, static_cast<Activation>(below(4)));
    ExpectAgreement(b.Finish({y}), seed, 0.0f, "blocks");
  }
}

TEST(BlocksTest, SpaceToDepthAgreesWithTheReference) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 rng(seed);
    const auto below = [&](int n) { return RandomBelow(rng, n); };
    const int size = 1 + below(6);
    GraphBuilder b;
    const int x = b.Input({1 + below(2), size * (1 + below(4)), size * (1 + below(40)), 1 + below(4)});
    ExpectAgreement(b.Finish({b.Op(OpType::kSpaceToDepth, {x}, SpaceToDepthParams{size})}), seed, 0.0f, "blocks");
  }
}

TEST(BlocksTest, WritesTheBordersThatItsReaderNeeds) {
  std::mt19937 rng(1);
  const auto layer = RandomLayer(rng, LayerKind::kConv2D, {4, 5, 5, 4}, 4, 2, 1.0);
  Window window;
  window.padding = {2, 2, 2, 2};
  GraphBuilder b;
  const int flat = b.Op(OpType::kDepthToSpace, {b.Input({1, 8, 20, 4})}, DepthToSpaceParams{2, 2});
  const int deep = b.Op(OpType::kSpaceToDepth, {flat}, SpaceToDepthParams{2});
  ExpectAgreement(b.Finish({b.Op(OpType::kConv, {deep}, ConvParams{window, layer})}), 2, 1e-4f, "conv");
}

}  // namespace
}  // namespace mcpruner
