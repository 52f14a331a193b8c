#include "delegate/graph/weights/sparse_layer.h"

#include <cmath>

#include "delegate/base/half.h"
#include "gtest/gtest.h"

namespace mcpruner {
namespace {

TEST(SparseLayerFromDenseTest, KeepsEveryWeightInEveryGroupSize) {
  const DenseShape shape = {5, 2, 3, 7};
  std::vector<float> weights(5 * 2 * 3 * 7);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i) - 50;
  for (const int group_size : {1, 2, 4, 8, 16}) {
    const auto layer = SparseLayerFromDense(LayerKind::kConv2D, shape, weights, {}, group_size);
    ASSERT_TRUE(layer.ok()) << layer.message();
    EXPECT_EQ(DenseWeights(*layer), weights);
    EXPECT_EQ(layer->StoredWeights(), 5 * 2 * 3 * 7);
    EXPECT_DOUBLE_EQ(layer->Density(), 1.0);
    EXPECT_EQ(layer->bias, std::vector<float>(5));
  }
}

TEST(SparseLayerFromDenseTest, TakesSixtyFourPositionsAndABias) {
  const std::vector<float> weights(64, 2.0f), bias = {3.0f};
  const auto layer = SparseLayerFromDense(LayerKind::kConv2D, {1, 8, 8, 1}, weights, bias, 1);
  ASSERT_TRUE(layer.ok()) << layer.message();
  EXPECT_EQ(layer->patterns, std::vector<uint64_t>{~uint64_t{0}});
  EXPECT_EQ(layer->bias, bias);
}

std::string Message(const DenseShape& shape, size_t weights, size_t bias, int group_size, float value = 1) {
  const std::vector<float> w(weights, value), b(bias);
  return SparseLayerFromDense(LayerKind::kConv2D, shape, w, b, group_size).message();
}

TEST(SparseLayerFromDenseTest, SaysWhatItExpected) {
  EXPECT_NE(Message({1, 8, 9, 1}, 72, 0, 1).find("64 kernel positions"), std::string::npos);
  EXPECT_NE(Message({1, 1, 1, 65536}, 65536, 0, 1).find("65535 channels"), std::string::npos);
  EXPECT_NE(Message({0, 1, 1, 1}, 0, 0, 1).find("empty dimensions"), std::string::npos);
  EXPECT_NE(Message({2, 1, 1, 1}, 1, 0, 1).find("expected 2 weights"), std::string::npos);
  EXPECT_NE(Message({2, 1, 1, 1}, 2, 1, 1).find("expected 2 biases"), std::string::npos);
  EXPECT_NE(Message({2, 1, 1, 1}, 2, 0, 3).find("group_size"), std::string::npos);
  EXPECT_NE(Message({2, 1, 1, 1}, 2, 0, 1, NAN).find("finite"), std::string::npos);
}

TEST(HalfToFloatTest, IsExact) {
  EXPECT_EQ(HalfToFloat(0x0000), 0.0f);
  EXPECT_TRUE(std::signbit(HalfToFloat(0x8000)));
  EXPECT_EQ(HalfToFloat(0x3c00), 1.0f);
  EXPECT_EQ(HalfToFloat(0xc000), -2.0f);
  EXPECT_EQ(HalfToFloat(0x7bff), 65504.0f);
  EXPECT_EQ(HalfToFloat(0x0001), std::ldexp(1.0f, -24));
  EXPECT_EQ(HalfToFloat(0x03ff), std::ldexp(1023.0f, -24));
  EXPECT_TRUE(std::isinf(HalfToFloat(0x7c00)));
  EXPECT_TRUE(std::isnan(HalfToFloat(0x7c01)));
}

}  // namespace
}  // namespace mcpruner
