#include "delegate/graph/weights/layer_walk.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace mcpruner {
namespace {

using Kernels = std::vector<std::pair<int, uint64_t>>;  // channel and pattern

// 3 filters in groups of 2: group 0 has two runs, group 1 has one.
SparseLayer SmallLayer() {
  SparseLayer layer;
  layer.kernel_height = layer.kernel_width = 2;
  layer.in_channels = 10;
  layer.out_channels = 3;
  layer.group_size = 2;
  layer.patterns = {0b0001, 0b1110};
  layer.group_run_begin = {0, 2, 3};
  layer.runs = {{1, 3}, {0, 1}, {0, 2}};
  layer.channels = {1, 4, 9, 2, 0, 5};
  layer.permutation = {2, 0, 1};
  layer.bias = {0.5f, 1.5f, 2.5f};
  return layer;
}

TEST(LayerWalkTest, KernelsComeRunByRunAndGroupByGroup) {
  const SparseLayer layer = SmallLayer();
  const uint16_t* channels = layer.channels.data();
  std::vector<Kernels> groups(2);
  for (size_t g = 0; g < 2; ++g) {
    ForEachKernel(layer, g, &channels,
                  [&](int channel, uint64_t pattern) { groups[g].emplace_back(channel, pattern); });
  }
  EXPECT_EQ(groups[0], (Kernels{{1, 0b1110}, {4, 0b1110}, {9, 0b1110}, {2, 0b0001}}));
  EXPECT_EQ(groups[1], (Kernels{{0, 0b0001}, {5, 0b0001}}));
  EXPECT_EQ(channels, layer.channels.data() + layer.channels.size());
}

TEST(LayerWalkTest, TapsAreThePositionsOfAllKernels) {
  SparseLayer layer = SmallLayer();
  EXPECT_EQ(GroupTaps(layer), (std::vector<uint64_t>{10, 2}));
  layer.group_run_begin = {0, 3, 3};
  EXPECT_EQ(GroupTaps(layer), (std::vector<uint64_t>{12, 0})) << "a group may have no kernel at all";
  layer.patterns[0] = ~uint64_t{0};
  EXPECT_EQ(GroupTaps(layer)[0], 9u + 3 * 64);
}

TEST(LayerWalkTest, AFilterIsWhereThePermutationSaysAndLanesThatFillAGroupAreNone) {
  const SparseLayer layer = SmallLayer();
  EXPECT_EQ(FilterAt(layer, 0).out_channel, 2);
  EXPECT_EQ(FilterAt(layer, 0).bias, 2.5f);
  EXPECT_EQ(FilterAt(layer, 2).out_channel, 1);
  EXPECT_EQ(FilterAt(layer, 2).bias, 1.5f);
  EXPECT_EQ(FilterAt(layer, 3).out_channel, -1);
  EXPECT_EQ(FilterAt(layer, 3).bias, 0.0f);
}

}  // namespace
}  // namespace mcpruner
