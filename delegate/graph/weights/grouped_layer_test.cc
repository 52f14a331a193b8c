#include "delegate/graph/weights/grouped_layer.h"

#include <gtest/gtest.h>

#include <random>

#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

// Returns dense OHWI weights of all channels, made of those of a grouped convolution in plain loops.
std::vector<float> BlockDiagonal(const SparseLayer& layer, int groups) {
  const std::vector<float> weights = DenseWeights(layer);
  const int positions = layer.kernel_height * layer.kernel_width, channels = layer.in_channels;
  std::vector<float> all(weights.size() * static_cast<size_t>(groups));
  for (int f = 0; f < layer.out_channels; ++f) {
    const int first = f / (layer.out_channels / groups) * channels;
    for (int p = 0; p < positions; ++p) {
      for (int c = 0; c < channels; ++c) {
        all[static_cast<size_t>((f * positions + p) * groups * channels + first + c)] =
            weights[static_cast<size_t>((f * positions + p) * channels + c)];
      }
    }
  }
  return all;
}

TEST(InGroups, KernelsOfOneConvolutionGroupAreStoredOnce) {
  const auto layer = SparseLayerFromDense(LayerKind::kConv2D, {4, 1, 1, 2}, std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8},
                                          std::vector<float>{1, 2, 3, 4}, 2);
  const Result<SparseLayer> grouped = InGroups(*layer, 2);
  ASSERT_TRUE(grouped.ok()) << grouped.message();
  EXPECT_EQ(grouped->in_channels, 4);
  EXPECT_EQ(std::vector<uint16_t>(grouped->channels.begin(), grouped->channels.end()),
            (std::vector<uint16_t>{0, 1, 2, 3}));
  EXPECT_EQ(std::vector<float>(grouped->values.begin(), grouped->values.end()),
            std::vector<float>(layer->values.begin(), layer->values.end()));
  EXPECT_EQ(grouped->group_run_begin, layer->group_run_begin);
  EXPECT_EQ(grouped->bias, layer->bias);
}

TEST(InGroups, FilterGroupsOverTwoConvolutionGroupsHoldZeros) {
  const auto layer = SparseLayerFromDense(LayerKind::kConv2D, {4, 1, 1, 1}, std::vector<float>{1, 2, 3, 4}, {}, 4);
  const Result<SparseLayer> grouped = InGroups(*layer, 2);
  ASSERT_TRUE(grouped.ok()) << grouped.message();
  EXPECT_EQ(grouped->group_run_begin, (std::vector<uint32_t>{0, 2}));
  EXPECT_EQ(std::vector<float>(grouped->values.begin(), grouped->values.end()),
            (std::vector<float>{1, 2, 0, 0, 0, 0, 3, 4}));
}

TEST(InGroups, AnyPatternsPermutationAndGroups) {
  std::mt19937 rng(1);
  for (const int group_size : {1, 2, 4, 8, 16}) {
    for (const int groups : {1, 2, 3, 8}) {
      for (const int filters : {1, 2, 3, 5}) {
        const auto layer = RandomLayer(rng, LayerKind::kConv2D, {groups * filters, 3, 2, 5}, group_size, 3, 0.6);
        const Result<SparseLayer> grouped = InGroups(*layer, groups);
        ASSERT_TRUE(grouped.ok()) << grouped.message();
        EXPECT_EQ(DenseWeights(*grouped), BlockDiagonal(*layer, groups));
        EXPECT_EQ(grouped->bias, layer->bias);
        EXPECT_EQ(grouped->permutation, layer->permutation);
      }
    }
  }
}

TEST(InGroups, SaysWhatItExpected) {
  const auto layer = SparseLayerFromDense(LayerKind::kConv2D, {4, 1, 1, 1000}, std::vector<float>(4000), {}, 4);
  const std::string expected =
      "expected groups that share its 4 filters evenly and have at most 65535 channels together, got ";
  EXPECT_EQ(InGroups(*layer, 3).message(), expected + "3 groups of 1000 channels");
  EXPECT_EQ(InGroups(*layer, 0).message(), expected + "0 groups of 1000 channels");
  const auto wide = SparseLayerFromDense(LayerKind::kConv2D, {70, 1, 1, 1000}, std::vector<float>(70000), {}, 4);
  EXPECT_NE(InGroups(*wide, 70).message().find("got 70 groups of 1000 channels"), std::string::npos);
}

}  // namespace
}  // namespace mcpruner
