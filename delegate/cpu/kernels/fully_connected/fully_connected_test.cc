#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "delegate/graph/backend.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

void CheckAllTargets(const Graph& graph, const std::vector<float>& x, int in_channels) {
  const auto expected = RunGraph(*CreateReferenceBackend(), graph, {x})[0];
  for (const std::string& simd : CpuSimdTargets()) {
    for (const int num_threads : {1, 3}) {
      auto backend = CreateCpuBackend({num_threads, simd});
      ASSERT_TRUE(backend.ok()) << backend.message();
      const auto actual = RunGraph(**backend, graph, {x})[0];
      // Weights and inputs are at most 1, so no sum of |w * x| exceeds in_channels.
      for (size_t i = 0; i < actual.size(); ++i) {
        ASSERT_NEAR(actual[i], expected[i], 1e-6 * (in_channels + 1)) << simd << ", element " << i;
      }
    }
  }
}

TEST(FullyConnectedTest, RandomLayersAgreeWithTheReference) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 rng(seed);
    const auto below = [&](int n) { return RandomBelow(rng, n); };
    const int in_channels = 1 + below(90);
    const auto layer = RandomLayer(rng, LayerKind::kFullyConnected, {1 + below(50), 1, 1, in_channels}, 1 << below(5),
                                   1, below(5) * 0.25);
    GraphBuilder b;
    const int x = b.Input({1 + below(4), 1, 1, in_channels});
    const int y = b.Op(OpType::kFullyConnected, {x}, FullyConnectedParams{layer}, static_cast<Activation>(below(4)));
    CheckAllTargets(b.Finish({y}), RandomFloats(rng, b.shape(x).size()), in_channels);
  }
}

TEST(FullyConnectedTest, ImagesAreReadInNhwcOrder) {
  std::mt19937 rng(1);
  const auto flat = RandomLayer(rng, LayerKind::kFullyConnected, {9, 1, 1, 2 * 3 * 4}, 4, 1, 0.8);
  const auto rows = RandomLayer(rng, LayerKind::kFullyConnected, {9, 1, 1, 4}, 8, 1, 0.8);
  for (const auto& layer : {flat, rows}) {
    GraphBuilder b;
    const int y = b.Op(OpType::kFullyConnected, {b.Input({2, 2, 3, 4})}, FullyConnectedParams{layer});
    CheckAllTargets(b.Finish({y}), RandomFloats(rng, 2 * 2 * 3 * 4), layer->in_channels);
  }
}

TEST(FullyConnectedTest, AnOutputThatHasBordersIsPacked) {
  std::mt19937 rng(1);
  const auto layer = RandomLayer(rng, LayerKind::kFullyConnected, {6, 1, 1, 5}, 2, 1, 1.0);
  const auto conv = RandomLayer(rng, LayerKind::kConv2D, {3, 3, 3, 6}, 2, 2, 1.0);
  GraphBuilder b;
  const int y = b.Op(OpType::kFullyConnected, {b.Input({2, 1, 1, 5})}, FullyConnectedParams{layer});
  const int z = b.Op(OpType::kConv, {y}, ConvParams{{1, 1, 1, 1, {1, 1, 1, 1}}, conv});
  CheckAllTargets(b.Finish({z}), RandomFloats(rng, 10), 9 * 6 * 5);
}

}  // namespace
}  // namespace mcpruner
