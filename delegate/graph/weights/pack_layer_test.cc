#include "delegate/graph/weights/pack_layer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "delegate/graph/weights/packed_counts.h"
#include "gtest/gtest.h"

namespace mcpruner {
namespace {

using Filters = std::vector<uint16_t>;

std::vector<float> RandomWeights(std::mt19937& rng, const DenseShape& shape, unsigned percent) {
  std::vector<float> weights(static_cast<size_t>(shape.out_channels * shape.kernel_height * shape.kernel_width) *
                             static_cast<size_t>(shape.in_channels));
  for (float& weight : weights) weight = rng() % 100 < percent ? static_cast<float>(rng() % 1000) - 500 : 0.0f;
  return weights;
}

Grouping RandomGrouping(std::mt19937& rng, int filters, int group_size) {
  Grouping grouping{group_size, Filters(static_cast<size_t>(filters))};
  std::iota(grouping.permutation.begin(), grouping.permutation.end(), uint16_t{0});
  std::shuffle(grouping.permutation.begin(), grouping.permutation.end(), rng);
  return grouping;
}

Result<SparseLayer> Pack(const DenseShape& shape, const std::vector<float>& weights, const Grouping& grouping,
                         const std::vector<float>& bias = {}, LayerKind kind = LayerKind::kConv2D) {
  const Result<NonzeroBits> bits = NonzeroBits::Of(shape, weights);
  if (!bits.ok()) return bits.status();
  return PackLayer(kind, *bits, weights, bias, grouping);
}

TEST(PackLayer, OrdersKernelsByPatternThenByChannel) {
  // Three filters of 1x2 kernels for three channels, so that channels are neighbours.
  const std::vector<float> weights{1, 0, 3,     0, 0, 0,  //
                                   0, 0, 0,     0, 0, 6,  //
                                   0, 0, -0.0f, 7, 0, 8};
  const Result<SparseLayer> layer = Pack({3, 1, 2, 3}, weights, {2, {2, 0, 1}}, {4, 5, 6});
  ASSERT_TRUE(layer.ok()) << layer.message();
  EXPECT_EQ(layer->patterns, (std::vector<uint64_t>{0b10, 0b11}));
  EXPECT_EQ(layer->group_run_begin, (std::vector<uint32_t>{0, 1, 2}));
  ASSERT_EQ(layer->runs.size(), 2u);
  EXPECT_EQ(layer->runs[0].pattern, 1);
  EXPECT_EQ(layer->runs[0].count, 2);
  EXPECT_EQ(layer->runs[1].pattern, 0);
  EXPECT_EQ(Filters(layer->channels.begin(), layer->channels.end()), (Filters{0, 2, 2}));
  EXPECT_EQ(std::vector<float>(layer->values.begin(), layer->values.end()),
            (std::vector<float>{0, 1, 7, 0, 0, 3, 8, 0, 6, 0}));
  EXPECT_TRUE(std::signbit(layer->values[4])) << "a zero that is stored keeps its sign";
  EXPECT_EQ(layer->bias, (std::vector<float>{4, 5, 6}));
  EXPECT_EQ(DenseWeights(*layer), weights);
}

TEST(PackLayer, KeepsEveryWeightOfRandomLayers) {
  std::mt19937 rng(1);
  const DenseShape shapes[] = {{1, 1, 1, 1},  {5, 3, 3, 7},  {17, 1, 1, 65}, {33, 2, 3, 64},
                               {31, 8, 8, 3}, {3, 64, 1, 9}, {4, 13, 1, 70}, {70, 1, 1, 129}};
  for (const DenseShape& shape : shapes) {
    for (int group_size = 1; group_size <= kMaxGroupSize; group_size *= 2) {
      for (const unsigned percent : {0u, 3u, 40u, 100u}) {
        const std::vector<float> weights = RandomWeights(rng, shape, percent);
        const Grouping grouping = RandomGrouping(rng, shape.out_channels, group_size);
        const Result<SparseLayer> layer = Pack(shape, weights, grouping);
        ASSERT_TRUE(layer.ok()) << layer.message();
        EXPECT_EQ(DenseWeights(*layer), weights);
        const PackedCounts counts = CountPacked(*NonzeroBits::Of(shape, weights), grouping);
        EXPECT_EQ(counts.values, static_cast<int64_t>(layer->values.size()));
        ASSERT_EQ(counts.patterns.size(), layer->patterns.size());
        size_t kernels = 0;
        for (size_t i = 0; i < counts.patterns.size(); ++i) {
          EXPECT_EQ(counts.patterns[i].bits, layer->patterns[i]);
          kernels += static_cast<size_t>(counts.patterns[i].count);
        }
        EXPECT_EQ(kernels, layer->channels.size());
      }
    }
  }
}

TEST(PackLayer, AnyGroupingIsSafeToPass) {
  const std::vector<float> weights(3, 1.0f);
  const auto message = [&](const Grouping& grouping) { return Pack({3, 1, 1, 1}, weights, grouping).message(); };
  const std::string once = "expected a permutation that has each of 3 filters once, got something else";
  EXPECT_EQ(message({4, {0, 1, 2}}), "");
  EXPECT_EQ(message({4, {}}), once);
  EXPECT_EQ(message({4, {0, 1}}), once);
  EXPECT_EQ(message({4, {0, 1, 1}}), once);
  EXPECT_EQ(message({4, {0, 1, 3}}), once);
  EXPECT_EQ(message({4, {0, 1, 2, 0}}), once);
  EXPECT_EQ(message({4, {0, 1, 2, 3}}), once);
  for (const int size : {-4, 0, 3, 32}) {
    EXPECT_EQ(message({size, {0, 1, 2}}),
              "expected a group_size that is a power of two, 1 to 16, got " + std::to_string(size));
  }
}

TEST(PackLayer, SaysWhatTheFormatDoesNotHold) {
  const std::vector<float> nine(9, 1.0f);
  EXPECT_EQ(Pack({1, 3, 3, 1}, nine, {1, {0}}, {}, LayerKind::kFullyConnected).message(),
            "expected one kernel position of a fully-connected layer, got 9");
  EXPECT_EQ(Pack({1, 3, 3, 1}, nine, {1, {0}}, {1, 2}).message(), "expected 1 biases, got 2");
  EXPECT_EQ(Pack({1, 3, 3, 1}, nine, {1, {0}}, {NAN}).message(),
            "expected finite biases, got NaN or infinity; train or export the layer again");
  EXPECT_NE(Pack({1, 3, 3, 2}, nine, {1, {0}}).message().find("expected 18 weights"), std::string::npos);
  EXPECT_NE(Pack({1, 9, 8, 1}, nine, {1, {0}}).message().find("64 kernel positions"), std::string::npos);
  EXPECT_NE(Pack({1, 1, 1, 65536}, nine, {1, {0}}).message().find("65535 channels"), std::string::npos);
}

// Each of 65536 kernels has a pattern of its own: one more than the format holds.
TEST(PackLayer, TooManyPatternsAreAnError) {
  std::vector<float> weights(65536 * 17);
  for (size_t kernel = 0; kernel < 65536; ++kernel) {
    for (size_t p = 0; p < 17; ++p) weights[(kernel / 2 * 17 + p) * 2 + kernel % 2] = (kernel + 1) >> p & 1 ? 1 : 0;
  }
  Grouping grouping{1, Filters(32768)};
  std::iota(grouping.permutation.begin(), grouping.permutation.end(), uint16_t{0});
  EXPECT_EQ(Pack({32768, 1, 17, 2}, weights, grouping).message(),
            "expected at most 65535 different patterns, got 65536; use a smaller group");
  for (size_t p = 0; p < 17; ++p) weights[p * 2] = weights[p * 2 + 1];
  const Result<SparseLayer> layer = Pack({32768, 1, 17, 2}, weights, grouping);
  ASSERT_TRUE(layer.ok()) << layer.message();
  EXPECT_EQ(layer->patterns.size(), 65535u);
  EXPECT_EQ(DenseWeights(*layer), weights);
}

TEST(NonzeroBits, AreThoseOfEveryWeight) {
  std::mt19937 rng(2);
  for (const int channels : {1, 2, 8, 63, 64, 65, 127, 128, 200}) {
    const DenseShape shape{3, 1, 2, channels};
    const std::vector<float> weights = RandomWeights(rng, shape, 50);
    const Result<NonzeroBits> bits = NonzeroBits::Of(shape, weights);
    ASSERT_TRUE(bits.ok()) << bits.message();
    std::vector<float> found(weights.size());
    const auto row_size = static_cast<size_t>(channels);
    for (size_t row = 0; row < 6; ++row) {
      const Span<const uint64_t> words = bits->Rows(row / 2).subspan(row % 2 * bits->words(), bits->words());
      ForEachBit(words, [&](size_t channel) {
        ASSERT_LT(channel, row_size);
        found[row * row_size + channel] = weights[row * row_size + channel];
      });
    }
    EXPECT_EQ(found, weights);
    EXPECT_EQ(bits->Count(), std::count_if(weights.begin(), weights.end(), [](float w) { return w != 0; }));
  }
}

TEST(NonzeroBits, TellNumbersFromZerosAndFromWhatIsNoNumber) {
  using Limits = std::numeric_limits<float>;
  for (size_t at = 0; at < 70; ++at) {
    std::vector<float> weights(70, -0.0f);
    const auto read = [&](float value) {
      weights[at] = value;
      return NonzeroBits::Of({1, 1, 1, 70}, weights);
    };
    EXPECT_EQ(read(0.0f)->Count(), 0);
    for (const float value : {Limits::denorm_min(), -Limits::denorm_min(), Limits::max(), Limits::lowest()}) {
      ASSERT_TRUE(read(value).ok());
      EXPECT_EQ(read(value)->Rows(0)[at / 64], uint64_t{1} << at % 64);
      EXPECT_EQ(read(value)->Count(), 1);
    }
    for (const float value : {Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), -Limits::quiet_NaN(),
                              Limits::signaling_NaN()}) {
      EXPECT_EQ(read(value).message(), "expected finite weights, got NaN or infinity; train or export the layer again");
    }
  }
}

}  // namespace
}  // namespace mcpruner
