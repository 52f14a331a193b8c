#include "delegate/cost/amounts.h"

#include <gtest/gtest.h>

namespace mcpruner::cost {
namespace {

const Simd& Avx2() { return *FindSimd("avx2"); }

TEST(KindOf, KnowsWhatThePluginTakes) {
  EXPECT_EQ(KindOf("CONV_2D"), Kind::kWeights);
  EXPECT_EQ(KindOf("ADD"), Kind::kElementwise);
  EXPECT_EQ(KindOf("SOFTMAX"), Kind::kExponential);
  EXPECT_EQ(KindOf("MEAN"), Kind::kReduction);
  EXPECT_EQ(KindOf("PAD"), Kind::kCopy);
  EXPECT_FALSE(KindOf("SIN").has_value());
}

TEST(PackedAmounts, OfAnImageCountPixelsInFours) {
  // Rows of 10 columns count as 12: 60 pixels in tiles of 3 vectors of 8 are 3 tiles.
  const Amounts amounts = PackedAmounts({80, 5}, {8, 3, 3, 4}, 8, {LayerType::kConv, 5, 10, 2}, Avx2());
  EXPECT_EQ(amounts.entry, &Costs::packed_conv);
  EXPECT_EQ(amounts.terms.multiply_adds, 80 * 60);
  EXPECT_EQ(amounts.terms.loads, 80 * 60 / 4);
  EXPECT_EQ(amounts.terms.kernels, 5 * 3 * 2);
  EXPECT_EQ(amounts.terms.output_bytes, 8 * 4 * 50);
  EXPECT_EQ(amounts.terms.strided_bytes, 4 * 4 * 50 * 4);
  EXPECT_EQ(amounts.terms.weight_bytes, 4 * 80 + 4 * 5);
  EXPECT_EQ(amounts.terms.layer, 1);
}

TEST(UnpackedAmounts, FillTheLastGroup) {
  const Amounts conv = UnpackedAmounts({5, 1, 1, 7}, {LayerType::kConv, 1, 4, 1}, Avx2());
  EXPECT_EQ(conv.entry, &Costs::packed_pointwise);
  EXPECT_EQ(conv.terms.multiply_adds, 8 * 7 * 4);
  const Amounts rows = UnpackedAmounts({17, 1, 1, 7}, {LayerType::kFullyConnected, 3, 1, 1}, Avx2());
  EXPECT_EQ(rows.entry, &Costs::packed_fully_connected);
  EXPECT_EQ(rows.terms.multiply_adds, 32 * 7 * 3);
  EXPECT_EQ(rows.terms.kernels, 2 * 7 * 3);
  const Amounts depthwise = UnpackedAmounts({1, 3, 3, 6}, {LayerType::kDepthwise, 2, 9, 1}, Avx2());
  EXPECT_EQ(depthwise.entry, &Costs::cpu_depthwise);
  EXPECT_EQ(depthwise.terms.multiply_adds, 9 * 6 * 2 * 16);
}

TEST(TfliteAmounts, FillTiles) {
  const Amounts conv = TfliteAmounts({17, 3, 3, 2}, {LayerType::kConv, 2, 3, 1}, Avx2());
  EXPECT_EQ(conv.entry, &Costs::tflite_conv);
  EXPECT_EQ(conv.terms.multiply_adds, 32 * 18 * 10);
  EXPECT_EQ(conv.terms.weight_bytes, 4 * 17 * 18);
  EXPECT_EQ(TfliteAmounts({17, 1, 1, 2}, {LayerType::kFullyConnected, 5, 1, 1}, Avx2()).terms.multiply_adds, 34 * 5);
}

TEST(GroupedConvolutions, AreOfAllChannelsHereAndFillTilesForThemselvesThere) {
  const Geometry geometry{LayerType::kConv, 5, 7, 2, 3};
  const Amounts tflite = TfliteAmounts({6, 1, 1, 4}, geometry, Avx2());
  EXPECT_EQ(tflite.entry, &Costs::tflite_conv);
  EXPECT_EQ(tflite.terms.multiply_adds, 3 * 16 * (4 + 4) * 35);
  EXPECT_EQ(tflite.terms.strided_bytes, 4 * 3 * 4 * 35 * 4);
  const Amounts ours = UnpackedAmounts({6, 1, 1, 4}, geometry, Avx2());
  EXPECT_EQ(ours.entry, &Costs::packed_pointwise);
  EXPECT_EQ(ours.terms.weight_bytes, 4 * 24 + 4 * 12);  // in groups of 2 filters, which lie in one group each
}

TEST(TransposedConvolutions, StoreEachPhaseTwice) {
  const Geometry geometry{LayerType::kTransposedConv, 3, 4, 2};
  const Amounts ours = PackedAmounts({80, 5}, {8, 2, 2, 4}, 4, geometry, Avx2());
  EXPECT_EQ(ours.entry, &Costs::packed_pointwise);  // each phase has one position
  EXPECT_EQ(ours.terms.output_bytes, 8 * 2 * 4 * 4 * 12);
  EXPECT_EQ(ours.terms.strided_bytes, 0);
  EXPECT_EQ(PackedAmounts({80, 5}, {8, 3, 2, 4}, 4, geometry, Avx2()).entry, &Costs::packed_conv);
  EXPECT_EQ(TfliteAmounts({8, 2, 2, 4}, geometry, Avx2()).terms.multiply_adds, 16 * 16 * 15);
}

TEST(RowsGeometry, IsAMapWhereThePluginMakesOne) {
  const auto sizes = [](const std::vector<int>& rows) {
    const Geometry geometry = RowsGeometry(rows);
    return std::pair(geometry.height, geometry.width);
  };
  EXPECT_EQ(sizes({1}), std::pair(1.0, 1.0));
  EXPECT_EQ(sizes({64}), std::pair(64.0, 1.0));
  EXPECT_EQ(sizes({1, 2}), std::pair(2.0, 1.0));
  EXPECT_EQ(sizes({1, 3}), std::pair(1.0, 3.0));
  EXPECT_EQ(sizes({2, 5, 7}), std::pair(10.0, 7.0));
  EXPECT_EQ(sizes({1, 9, 1}), std::pair(1.0, 9.0));
  EXPECT_EQ(sizes({}), std::pair(1.0, 1.0));
}

TEST(AmountsWithoutWeights, CountWholeVectorsInThePlugin) {
  const std::vector<std::vector<int>> in{{1, 4, 9, 3}}, out{{1, 2, 5, 3}};
  const PlainAmounts pool = AmountsWithoutWeights(Kind::kWindow, in, out, {2, 3}, Avx2());
  EXPECT_EQ(pool.plugin.entry, &Costs::cpu_window);
  EXPECT_EQ(pool.plugin.terms.read_bytes, (2 + 3) * 2 * 8 * 3 * 4);
  EXPECT_EQ(pool.tflite.terms.read_bytes, 2 * 3 * 2 * 5 * 3 * 4);
  EXPECT_EQ(pool.tflite.terms.output_bytes, 4 * 2 * 5 * 3);
  EXPECT_EQ(AmountsWithoutWeights(Kind::kReduction, in, out, {}, Avx2()).plugin.terms.input_bytes, 4 * 4 * 16 * 3);
  EXPECT_EQ(AmountsWithoutWeights(Kind::kCopy, in, {{0, -1}}, {}, Avx2()).tflite.terms.output_bytes, 4);
}

}  // namespace
}  // namespace mcpruner::cost
