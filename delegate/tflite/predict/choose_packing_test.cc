#include "delegate/tflite/predict/choose_packing.h"

#include <numeric>
#include <random>
#include <vector>

#include "delegate/cost/read_table.h"
#include "delegate/graph/weights/pack_layer.h"
#include "delegate/tflite/predict/phases.h"
#include "gtest/gtest.h"

namespace mcpruner {
namespace {

using cost::Geometry;
using cost::LayerType;

// Every fourth filter is random with so many weights of a hundred, and the three behind it agree with it.
NonzeroBits AlignedBits(const DenseShape& shape, unsigned percent) {
  std::mt19937 rng(1);
  const auto filter = static_cast<size_t>(shape.kernel_height * shape.kernel_width * shape.in_channels);
  std::vector<float> weights(static_cast<size_t>(shape.out_channels) * filter);
  for (size_t i = 0; i < weights.size(); ++i) {
    weights[i] = i / filter % 4 != 0 ? weights[i - filter] : rng() % 100 < percent ? 1.0f : 0.0f;
  }
  return *NonzeroBits::Of(shape, weights);
}

Packing Choose(const NonzeroBits& bits, const Geometry& geometry) {
  return ChoosePacking(bits, geometry, *cost::ShippedCostTable("avx512"));
}

TEST(ChoosePacking, TakesTheGroupsThatALayerWasPrunedIn) {
  const NonzeroBits bits = AlignedBits({66, 3, 3, 64}, 20);
  const Geometry geometry{LayerType::kConv, 28, 28};
  const Packing packing = Choose(bits, geometry);
  EXPECT_EQ(packing.grouping.group_size, 4);
  EXPECT_EQ(packing.grouping.permutation, InOrder(bits, 4).permutation);
  EXPECT_GT(packing.speedup, 2);
  EXPECT_EQ(packing.speedup, PackedSpeedup(bits, packing.grouping, geometry, *cost::ShippedCostTable("avx512")));
}

TEST(ChoosePacking, LeavesDenseLayersAsTheyAre) {
  const NonzeroBits bits = AlignedBits({24, 3, 3, 16}, 100);
  const Packing packing = Choose(bits, {LayerType::kConv, 14, 14});
  EXPECT_EQ(packing.grouping.permutation, InOrder(bits, 4).permutation);
  EXPECT_GT(packing.speedup, 0);
  EXPECT_LE(packing.speedup, 1);
}

// At 0.8 the table predicts a gain, which other processors than the one that it was measured on do not keep.
TEST(ChoosePacking, LeavesLayersThatKeepTooMuchWhateverIsPredicted) {
  const Geometry geometry{LayerType::kConv, 28, 28};
  const NonzeroBits most = AlignedBits({64, 3, 3, 64}, 80), fewer = AlignedBits({64, 3, 3, 64}, 55);
  EXPECT_GT(PackedSpeedup(most, InOrder(most, 4), geometry, *cost::ShippedCostTable("avx512")), 1.2);
  EXPECT_LE(Choose(most, geometry).speedup, 1);
  EXPECT_GT(Choose(fewer, geometry).speedup, 1.2);
  EXPECT_TRUE(KeepsTooMuch(626, 1000));
  EXPECT_FALSE(KeepsTooMuch(625, 1000));
}

TEST(ChoosePacking, NoFilterGroupReachesOverTwoGroupsOfTheConvolution) {
  const NonzeroBits bits = AlignedBits({6 * 4, 3, 3, 32}, 10);
  for (const int groups : {2, 6, 12, 24}) {
    const Packing packing = Choose(bits, {LayerType::kConv, 28, 28, 1, static_cast<double>(groups)});
    EXPECT_EQ(24 / groups % packing.grouping.group_size, 0) << groups << " groups";
  }
}

TEST(PackedSpeedup, IsNoneWhereTheFormatHasTooFewPatterns) {
  std::vector<float> weights(65536 * 17);
  for (size_t kernel = 0; kernel < 65536; ++kernel) {
    for (size_t p = 0; p < 17; ++p) weights[(kernel / 2 * 17 + p) * 2 + kernel % 2] = (kernel + 1) >> p & 1 ? 1 : 0;
  }
  const NonzeroBits bits = *NonzeroBits::Of({32768, 1, 17, 2}, weights);
  EXPECT_EQ(PackedSpeedup(bits, InOrder(bits, 1), {}, *cost::ShippedCostTable("avx2")), 0);
}

TEST(PhasesOf, AreThoseThatHaveWeights) {
  EXPECT_EQ(PhasesOf(0b1, 1, 1, 1), 1);
  EXPECT_EQ(PhasesOf(0b111111111, 3, 3, 1), 1);
  EXPECT_EQ(PhasesOf(0b111111111, 3, 3, 2), 4);
  EXPECT_EQ(PhasesOf(0b101000101, 3, 3, 2), 1);
  EXPECT_EQ(PhasesOf(0b000010001, 3, 3, 2), 2);
  EXPECT_EQ(PhasesOf(0, 3, 3, 2), 0);
}

}  // namespace
}  // namespace mcpruner
