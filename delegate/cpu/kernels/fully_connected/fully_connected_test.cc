#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "delegate/cpu/cpu_backend.h"
#include "delegate/cpu/reference_backend.h"
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

// Returns the layer with random weights of another type in the place of its own, at most 1 each. Int8 scales may be 0.
std::shared_ptr<const SparseLayer> StoredAs(ValueType type, std::shared_ptr<const SparseLayer> layer,
                                            std::mt19937& rng) {
  if (type == ValueType::kFloat32) return layer;
  auto stored = std::make_shared<SparseLayer>(*layer);
  stored->value_type = type;
  stored->values.clear();
  for (const float value : layer->values) {
    const uint32_t bits = value == 0 ? 0 : static_cast<uint32_t>(rng());  // lanes beyond the last filter stay zero
    if (type == ValueType::kInt8) {
      stored->narrow.push_back(static_cast<uint8_t>(static_cast<int>(bits % 255) - (value == 0 ? 0 : 127)));
    } else {
      stored->narrow.push_back(static_cast<uint8_t>(bits));
      stored->narrow.push_back(static_cast<uint8_t>(bits >> 8 & 0xbb));  // an exponent of at most 2^-1
    }
  }
  if (type == ValueType::kInt8) {
    for (int f = 0; f < layer->out_channels; ++f) {
      stored->scales.push_back(static_cast<float>(RandomBelow(rng, 5)) * (0.25f / 127));
    }
  }
  return stored;
}

TEST(FullyConnectedTest, RandomLayersAgreeWithTheReference) {
  for (uint32_t seed = 0; seed < 600; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 rng(seed);
    const auto below = [&](int n) { return RandomBelow(rng, n); };
    const int in_channels = 1 + below(90);
    const int units = 1 + below(100);
    const int group_size = 1 << below(5);
    const double density = below(5) * 0.25;
    const auto dense = RandomLayer(rng, LayerKind::kFullyConnected, {units, 1, 1, in_channels}, group_size, 1, density);
    const auto layer = StoredAs(static_cast<ValueType>(seed % 3), dense, rng);
    const int rows = 1 + below(9);
    const auto activation = static_cast<Activation>(below(4));
    GraphBuilder b;
    const int x = b.Input({rows, 1, 1, in_channels});
    const int y = b.Op(OpType::kFullyConnected, {x}, FullyConnectedParams{layer}, activation);
    CheckAllTargets(b.Finish({y}), RandomFloats(rng, b.shape(x).size()), in_channels);
  }
}

// Groups go along together while all have kernels; here they end one after the other.
TEST(FullyConnectedTest, GroupsMayBeOfVeryDifferentSizes) {
  std::mt19937 rng(1);
  SparseLayer layer = *RandomLayer(rng, LayerKind::kFullyConnected, {12, 1, 1, 70}, 2, 1, 0.0);
  layer.runs.clear();
  layer.group_run_begin = {0, 1, 1, 2, 3, 4, 5};
  for (const int kernels : {70, 1, 4, 33, 8}) {
    layer.runs.push_back({0, static_cast<uint16_t>(kernels)});
    for (int c = 0; c < kernels; ++c) layer.channels.push_back(static_cast<uint16_t>(c));
  }
  for (const float value : RandomFloats(rng, 2 * (70 + 1 + 4 + 33 + 8))) layer.values.push_back(value);
  const auto shared = std::make_shared<const SparseLayer>(layer);
  for (const int rows : {1, 2, 4, 7}) {
    GraphBuilder b;
    const int y = b.Op(OpType::kFullyConnected, {b.Input({rows, 1, 1, 70})}, FullyConnectedParams{shared});
    CheckAllTargets(b.Finish({y}), RandomFloats(rng, rows * 70), 70);
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
