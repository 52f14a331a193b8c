#include "delegate/tflite/parse/layer_cache.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace mcpruner {
namespace {

const std::vector<float> kWeights = {1, 2, 3, 4, 5, 6};
const std::vector<float> kBias = {7, 8};

Result<LayerCache::LayerPtr> Dense(LayerCache* cache, const DenseShape& shape, const std::vector<float>& weights,
                                   const std::vector<float>& bias) {
  return cache->FromDense(LayerKind::kConv2D, shape, weights, bias, 4);
}

TEST(LayerCache, EqualContentIsOneLayer) {
  LayerCache cache;
  const auto a = Dense(&cache, {2, 1, 1, 3}, kWeights, kBias);
  const std::vector<float> copy = kWeights;  // at another address
  const auto b = Dense(&cache, {2, 1, 1, 3}, copy, kBias);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(a->get(), b->get());
  EXPECT_EQ(cache.size(), 1u);
  EXPECT_EQ((*a)->bias, kBias);
}

TEST(LayerCache, AnyDifferenceIsAnotherLayer) {
  LayerCache cache;
  std::vector<LayerCache::LayerPtr> layers;
  std::vector<float> changed = kWeights;
  changed[5] = 6.0000005f;
  layers.push_back(*Dense(&cache, {2, 1, 1, 3}, kWeights, kBias));
  layers.push_back(*Dense(&cache, {2, 1, 3, 1}, kWeights, kBias));
  layers.push_back(*Dense(&cache, {2, 1, 1, 3}, changed, kBias));
  layers.push_back(*Dense(&cache, {2, 1, 1, 3}, kWeights, {8, 7}));
  layers.push_back(*Dense(&cache, {2, 1, 1, 3}, kWeights, {}));
  layers.push_back(*cache.FromDense(LayerKind::kFullyConnected, {2, 1, 1, 3}, kWeights, kBias, 4));
  layers.push_back(*cache.FromDense(LayerKind::kFullyConnected, {2, 1, 1, 3}, kWeights, kBias, 16));
  layers.push_back(*cache.FromNonzeros({2, 1, 1, 3}, kWeights, kBias, 4));
  layers.push_back(*cache.FromGroups({2, 1, 1, 3}, 1, kWeights, kBias, 4));
  layers.push_back(*cache.FromGroups({2, 1, 1, 3}, 2, kWeights, kBias, 4));
  const NonzeroBits bits = *NonzeroBits::Of({2, 1, 1, 3}, kWeights);
  const Grouping in_order = InOrder(bits, 2), turned{2, {1, 0}};
  layers.push_back(*cache.FromGrouping(LayerKind::kConv2D, bits, kWeights, kBias, in_order));
  layers.push_back(*cache.FromGrouping(LayerKind::kConv2D, bits, kWeights, kBias, turned));
  layers.push_back(*cache.FromGrouping(LayerKind::kFullyConnected, bits, kWeights, kBias, turned));
  layers.push_back(*cache.FromGrouping(LayerKind::kConv2D, bits, kWeights, kBias, InOrder(bits, 1)));
  layers.push_back(*cache.FromGrouping(LayerKind::kConv2D, bits, kWeights, kBias, InOrder(bits, 1), 2));
  EXPECT_EQ(layers.back()->in_channels, 6);
  EXPECT_EQ(cache.size(), layers.size());
  EXPECT_EQ(cache.FromNonzeros({2, 1, 1, 3}, kWeights, kBias, 4)->get(), layers[7].get());
}

TEST(LayerCache, UnusedLayersAreDropped) {
  LayerCache cache;
  const auto kept = Dense(&cache, {2, 1, 1, 3}, kWeights, kBias);
  ASSERT_TRUE(Dense(&cache, {3, 1, 1, 2}, kWeights, {}).ok());
  EXPECT_EQ(cache.size(), 2u);
  cache.DropUnused();
  EXPECT_EQ(cache.size(), 1u);
  EXPECT_EQ(Dense(&cache, {2, 1, 1, 3}, kWeights, kBias)->get(), kept->get());
}

TEST(LayerCache, FailuresAreToldEachTime) {
  LayerCache cache;
  const std::vector<float> bad = {std::numeric_limits<float>::quiet_NaN()};
  EXPECT_FALSE(Dense(&cache, {1, 1, 1, 1}, bad, {}).ok());
  EXPECT_FALSE(Dense(&cache, {1, 1, 1, 1}, bad, {}).ok());
  const std::vector<uint8_t> blob = {1, 2, 3};
  EXPECT_FALSE(cache.FromBlob(blob).ok());
  EXPECT_EQ(cache.size(), 0u);
}

}  // namespace
}  // namespace mcpruner
