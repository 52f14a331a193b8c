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

// A pad behind it makes the pool write borders; sizes leave tails in every vector width.
TEST(PoolTest, RandomPoolsAgreeWithTheReference) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 rng(seed);
    const auto below = [&](int n) { return RandomBelow(rng, n); };
    PoolParams params;
    params.filter_height = 1 + below(4);
    params.filter_width = 1 + below(7);
    params.window.stride_h = 1 + below(3);
    params.window.stride_w = 1 + below(4);
    params.window.padding = {below(params.filter_height), below(params.filter_height), below(params.filter_width),
                             below(params.filter_width)};
    GraphBuilder b;
    const int x = b.Input({1 + below(2), 4 + below(9), params.filter_width + below(60), 1 + below(20)});
    const OpType type = below(2) == 0 ? OpType::kMaxPool : OpType::kAveragePool;
    const int y = b.Op(type, {x}, params, static_cast<Activation>(below(4)));
    ExpectAgreement(b.Finish({y}), seed, 1e-6f, "pool");
  }
}

TEST(PoolTest, WritesTheBordersThatItsReaderNeeds) {
  std::mt19937 rng(1);
  GraphBuilder b;
  const int x = b.Input({1, 8, 20, 4});
  const int pooled = b.Op(OpType::kMaxPool, {x}, PoolParams{{2, 2, 1, 1, {}}, 2, 2});
  Window window;
  window.padding = {2, 2, 2, 2};
  const auto layer = RandomLayer(rng, LayerKind::kConv2D, {4, 5, 5, 4}, 4, 2, 1.0);
  ExpectAgreement(b.Finish({b.Op(OpType::kConv, {pooled}, ConvParams{window, layer})}), 2, 1e-4f, "conv");
}

}  // namespace
}  // namespace mcpruner
