// These tests are about columns: taps below each other that share loads, in layers whose patterns are all full.

#include "delegate/opencl/plan/packed_layer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"
#include "delegate/opencl/testing/agreement.h"

namespace mcpruner {
namespace {

constexpr int kFullPattern = 0;

TEST(PackedLayerTest, AColumnIsTheRowsOfAFullKernel) {
  std::mt19937 rng(1);
  const auto layer = RandomLayer(rng, LayerKind::kConv2D, {4, 3, 2, 1}, 4, kFullPattern, 1.0);
  ASSERT_EQ(opencl::ColumnRows(*layer), 3);
  const opencl::PackedTaps taps = opencl::PackTaps(*layer, {100}, {0, 1, 10, 11, 20, 21});
  EXPECT_EQ(taps.displacements, (std::vector<int32_t>{100, 101}));
  ASSERT_EQ(taps.parts.size(), 1u);
  EXPECT_EQ(taps.parts[0].taps, 6);
  std::vector<float> expected;  // the left column's rows, then the right one's
  for (const size_t tap : {0, 2, 4, 1, 3, 5}) {
    expected.insert(expected.end(), layer->values.begin() + tap * 4, layer->values.begin() + (tap + 1) * 4);
  }
  EXPECT_EQ(opencl::PackValues(*layer), expected);
}

TEST(PackedLayerTest, TapsComeInTheOrderOfTheirChannels) {
  std::mt19937 rng(1);
  const auto layer = RandomLayer(rng, LayerKind::kConv2D, {8, 3, 3, 50}, 4, 4, 0.5);
  ASSERT_GT(layer->group_run_begin[1], 1u) << "the layer's own order is by pattern";
  std::vector<int> channels;
  for (int c = 0; c < 50; ++c) channels.push_back(c * 100);
  const opencl::PackedTaps taps = opencl::PackTaps(*layer, channels, {0, 1, 2, 3, 4, 5, 6, 7, 8});
  ASSERT_EQ(taps.parts.size(), 2u);
  for (const opencl::Part& part : taps.parts) {
    const auto first = taps.displacements.begin() + part.first_column;
    EXPECT_TRUE(std::is_sorted(first, first + part.taps));
  }
}

TEST(PackedLayerTest, OtherPatternsAndTallKernelsHaveColumnsOfOneTap) {
  std::mt19937 rng(1);
  EXPECT_EQ(opencl::ColumnRows(*RandomLayer(rng, LayerKind::kConv2D, {4, 3, 3, 8}, 4, 4, 1.0)), 1);
  EXPECT_EQ(opencl::ColumnRows(*RandomLayer(rng, LayerKind::kConv2D, {4, 4, 3, 8}, 4, kFullPattern, 1.0)), 1);
  EXPECT_EQ(opencl::ColumnRows(*RandomLayer(rng, LayerKind::kConv2D, {4, 8, 8, 8}, 4, kFullPattern, 1.0)), 1);
  EXPECT_EQ(opencl::ColumnRows(*RandomLayer(rng, LayerKind::kConv2D, {4, 1, 1, 8}, 4, 4, 0.5)), 1);
}

TEST(PackedLayerTest, ColumnsAgreeWithTheReference) {
  MCPRUNER_NEEDS_OPENCL();
  struct Case {
    int height, width, stride, dilation, group_size;
    double density;
  };
  const auto backend = MakeTestBackend();
  std::mt19937 rng(1);
  for (const Case& c : {Case{3, 3, 1, 1, 4, 1.0}, Case{3, 3, 2, 1, 4, 0.5}, Case{3, 3, 1, 2, 8, 1.0},
                        Case{2, 5, 1, 1, 2, 1.0}, Case{3, 1, 2, 2, 1, 0.7}, Case{4, 4, 1, 1, 4, 1.0}}) {
    SCOPED_TRACE(std::to_string(c.height) + "x" + std::to_string(c.width) + ", stride " + std::to_string(c.stride) +
                 ", dilation " + std::to_string(c.dilation));
    const DenseShape shape{12, c.height, c.width, 30};
    const auto layer = RandomLayer(rng, LayerKind::kConv2D, shape, c.group_size, kFullPattern, c.density);
    const Window window{c.stride, c.stride, c.dilation, c.dilation, {2, 2, 2, 2}};
    GraphBuilder b;
    const Graph graph = b.Finish({b.Op(OpType::kConv, {b.Input({2, 15, 11, 30})}, ConvParams{window, layer})});
    ExpectAgreement(*backend, graph, 1, 2e-5);
  }
}

}  // namespace
}  // namespace mcpruner
