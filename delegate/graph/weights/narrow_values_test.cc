#include "delegate/graph/weights/narrow_values.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "delegate/base/half.h"
#include "delegate/graph/weights/sparse_layer.h"

namespace mcpruner {
namespace {

SparseLayer Layer(const std::vector<float>& weights, int filters, int group_size) {
  const DenseShape shape{filters, 1, 1, static_cast<int>(weights.size()) / filters};
  return *SparseLayerFromDense(LayerKind::kFullyConnected, shape, weights, {}, group_size);
}

TEST(NarrowValues, EveryFiniteHalfIsFoundAgain) {
  for (int bits = 0; bits < 1 << 16; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    if (!std::isfinite(HalfToFloat(half))) continue;
    EXPECT_EQ(ExactHalf(HalfToFloat(half)), half);
  }
}

TEST(NarrowValues, HalvesStandForTheSameWeights) {
  const std::vector<float> weights = {1, -0.0f, 65504, 5.9604644775390625e-08f, -2.5f, 0};
  SparseLayer layer = Layer(weights, 3, 2);
  ASSERT_TRUE(StoreNarrow({ValueType::kFloat16, {}}, &layer).ok());
  EXPECT_EQ(layer.value_type, ValueType::kFloat16);
  EXPECT_TRUE(layer.values.empty());
  EXPECT_EQ(layer.narrow.size(), 2 * layer.NumValues());
  const std::vector<float> dense = DenseWeights(layer);
  EXPECT_EQ(std::memcmp(dense.data(), weights.data(), sizeof(float) * weights.size()), 0);
}

TEST(NarrowValues, ScaledInt8StandsForTheSameWeights) {
  const std::vector<float> scales = {0.1f, 0.0f, 3};
  const std::vector<float> weights = {127 * scales[0], -7 * scales[0], 0, 0, -127 * scales[2], 3};
  SparseLayer layer = Layer(weights, 3, 2);
  ASSERT_TRUE(StoreNarrow({ValueType::kInt8, scales}, &layer).ok());
  EXPECT_EQ(layer.narrow.size(), layer.NumValues());
  EXPECT_EQ(DenseWeights(layer), weights);
}

TEST(NarrowValues, NothingIsRounded) {
  for (const float weight : {1.0001f, 65536.0f, 1e-9f, -1e30f}) {
    SparseLayer layer = Layer({weight}, 1, 1);
    EXPECT_EQ(StoreNarrow({ValueType::kFloat16, {}}, &layer).message(),
              "expected weights that float16 values stand for, got others");
    EXPECT_EQ(layer.value_type, ValueType::kFloat32);
    EXPECT_EQ(DenseWeights(layer), std::vector<float>{weight});
  }
  for (const float weight : {1.5f, 128.0f, 1e30f, -0.0f}) {
    SparseLayer layer = Layer({weight}, 1, 1);
    EXPECT_EQ(StoreNarrow({ValueType::kInt8, {1.0f}}, &layer).message(),
              "expected weights that int8 values stand for, got others");
  }
}

}  // namespace
}  // namespace mcpruner
