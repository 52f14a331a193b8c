#include "delegate/cpu/kernels/fully_connected/reference.h"

#include <gtest/gtest.h>

#include <string>

#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

TEST(FullyConnectedReferenceTest, MultipliesEachRowWithTheMatrix) {
  SparseLayer layer;
  layer.kind = LayerKind::kFullyConnected;
  layer.in_channels = 3;
  layer.out_channels = 1;
  layer.patterns = {1};
  layer.group_run_begin = {0, 1};
  layer.runs = {{0, 2}};
  layer.channels = {0, 2};  // channel 1 is pruned
  layer.values = {2, 5};
  layer.permutation = {0};
  layer.bias = {1};
  const std::vector<float> x{1, 100, 2, 3, 100, 4};
  std::vector<float> y(2);
  FullyConnectedReference(layer, 2, x.data(), y.data());
  EXPECT_EQ(y, (std::vector<float>{13, 27}));
}

TEST(FullyConnectedReferenceTest, AgreesWithTheDenseMatrix) {
  for (uint32_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 rng(seed);
    const int rows = RandomBelow(rng, 4);
    const int in = 1 + RandomBelow(rng, 40);
    const int out = 1 + RandomBelow(rng, 40);
    const int group_size = 1 << RandomBelow(rng, 5);
    const auto layer = RandomLayer(rng, LayerKind::kFullyConnected, {out, 1, 1, in}, group_size, 1, 0.5);
    const std::vector<float> weights = DenseWeights(*layer);
    const std::vector<float> x = RandomFloats(rng, rows * in);
    std::vector<float> y(static_cast<size_t>(rows * out));
    FullyConnectedReference(*layer, rows, x.data(), y.data());
    for (int i = 0; i < rows * out; ++i) {
      double sum = layer->bias[static_cast<size_t>(i % out)];
      for (int c = 0; c < in; ++c) {
        sum += double{weights[static_cast<size_t>(i % out * in + c)]} * x[static_cast<size_t>(i / out * in + c)];
      }
      ASSERT_NEAR(y[static_cast<size_t>(i)], sum, 2e-6);
    }
  }
}

}  // namespace
}  // namespace mcpruner
