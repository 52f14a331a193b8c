#include "delegate/graph/weights/nonzeros.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace mcpruner {
namespace {

TEST(WithoutZeros, KeepsWhatAFilterOfTheGroupNeeds) {
  // Two filters of 1x3 kernels for two channels; OHWI, so that channels are neighbours.
  const std::vector<float> weights{1, 0, 0, 0, 2, 5, 3, 0, 0, 0, 0, 6};
  const auto dense = SparseLayerFromDense(LayerKind::kConv2D, {2, 1, 3, 2}, weights, {}, 2);
  ASSERT_TRUE(dense.ok());
  const SparseLayer layer = WithoutZeros(*dense);
  EXPECT_EQ(layer.patterns, (std::vector<uint64_t>{0b100, 0b101}));
  EXPECT_EQ(std::vector<uint16_t>(layer.channels.begin(), layer.channels.end()), (std::vector<uint16_t>{1, 0}));
  EXPECT_EQ(std::vector<float>(layer.values.begin(), layer.values.end()), (std::vector<float>{5, 6, 1, 3, 2, 0}));
  EXPECT_EQ(DenseWeights(layer), weights);
  EXPECT_EQ(layer.StoredWeights(), 6);
}

TEST(WithoutZeros, AGroupMayHaveNothing) {
  const auto dense = SparseLayerFromDense(LayerKind::kConv2D, {3, 1, 1, 1}, std::vector<float>{0, 0, 4},
                                          std::vector<float>{1, 2, 3}, 2);
  const SparseLayer layer = WithoutZeros(*dense);
  EXPECT_EQ(layer.group_run_begin, (std::vector<uint32_t>{0, 0, 1}));
  EXPECT_EQ(DenseWeights(layer), (std::vector<float>{0, 0, 4}));
  EXPECT_EQ(layer.bias, (std::vector<float>{1, 2, 3}));
}

TEST(WithoutZeros, RandomLayersAreTheSame) {
  std::mt19937 rng(1);
  for (const int group_size : {1, 4, 16}) {
    for (const int filters : {1, 7, 33}) {
      std::vector<float> weights(static_cast<size_t>(filters) * 9 * 5);
      for (float& weight : weights) weight = rng() % 4 == 0 ? static_cast<float>(rng() % 100) : 0.0f;
      const auto dense = SparseLayerFromDense(LayerKind::kConv2D, {filters, 3, 3, 5}, weights, {}, group_size);
      EXPECT_EQ(DenseWeights(WithoutZeros(*dense)), weights);
    }
  }
}

// Each of 65536 kernels has a pattern of its own.
TEST(WithoutZeros, TooManyPatternsAreLeftAsTheyAre) {
  std::vector<float> weights(65536 * 17);
  for (size_t kernel = 0; kernel < 65536; ++kernel) {
    for (size_t p = 0; p < 17; ++p) weights[(kernel / 2 * 17 + p) * 2 + kernel % 2] = (kernel + 1) >> p & 1 ? 1 : 0;
  }
  const auto dense = SparseLayerFromDense(LayerKind::kConv2D, {32768, 1, 17, 2}, weights, {}, 1);
  ASSERT_TRUE(dense.ok());
  EXPECT_EQ(WithoutZeros(*dense).patterns, dense->patterns);
}

}  // namespace
}  // namespace mcpruner
