#include "delegate/graph/op_stats.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "delegate/graph/testing/graph_builder.h"

namespace mcpruner {
namespace {

// Makes three filters of 1x2 over two channels in groups of two. Group 0 keeps one kernel of one position, group 1
// keeps all.
std::shared_ptr<const SparseLayer> Layer(LayerKind kind, int kernel_width) {
  auto layer = std::make_shared<SparseLayer>();
  layer->kind = kind;
  layer->kernel_width = kernel_width;
  layer->in_channels = 2;
  layer->out_channels = 3;
  layer->group_size = 2;
  layer->patterns = {1};
  layer->group_run_begin = {0, 1, 2};
  layer->runs = {{0, 1}, {0, 2}};
  layer->channels = {1, 0, 1};
  layer->values = {1, 2, 3, 0, 4, 0};  // the last group has one filter and a zero lane
  layer->permutation = {0, 1, 2};
  layer->bias = {0, 0, 0};
  return layer;
}

// The bytes are: patterns 8, group_run_begin 12, runs 8, channels 6, values 24, permutation 6, bias 12.
constexpr int64_t kLayerBytes = 76;

TEST(OpStatsTest, CountsAConvolution) {
  GraphBuilder b;
  const int x = b.Input({2, 4, 5, 2});
  const int y = b.Op(OpType::kConv, {x}, ConvParams{Window{}, Layer(LayerKind::kConv2D, 2)});
  const Graph graph = b.Finish({y});
  const OpProfile p = DescribeOp(graph, graph.ops[0]);
  EXPECT_EQ(p.name, "t1");
  EXPECT_EQ(p.type, "Conv");
  EXPECT_EQ(p.input, (Shape{2, 4, 5, 2}));
  EXPECT_EQ(p.output, (Shape{2, 4, 4, 3}));
  EXPECT_EQ(p.macs, 4 * 2 * 4 * 4);  // 2 weights of group 0 and 2 of group 1, at 32 pixels
  EXPECT_DOUBLE_EQ(p.density, 4.0 / 12);
  EXPECT_EQ(OpWeightBytes(graph.ops[0]), kLayerBytes);
  EXPECT_EQ(p.bytes, 4 * (80 + 96) + kLayerBytes);
  EXPECT_EQ(p.runs, 0);
}

TEST(OpStatsTest, CountsAFullyConnectedLayerByRows) {
  GraphBuilder b;
  const int y = b.Op(OpType::kFullyConnected, {b.Input({5, 1, 1, 4})},
                     FullyConnectedParams{Layer(LayerKind::kFullyConnected, 1)});
  const Graph graph = b.Finish({y});
  EXPECT_EQ(DescribeOp(graph, graph.ops[0]).macs, 4 * 10);
}

TEST(OpStatsTest, CountsADepthwiseConvolution) {
  GraphBuilder b;
  DepthwiseParams params;
  params.kernel_height = params.kernel_width = 3;
  params.weights = std::make_shared<const std::vector<float>>(9 * 4);
  params.bias = std::make_shared<const std::vector<float>>(4);
  const Graph graph = b.Finish({b.Op(OpType::kDepthwiseConv, {b.Input({1, 5, 5, 4})}, params)});
  const OpProfile p = DescribeOp(graph, graph.ops[0]);
  EXPECT_EQ(p.macs, 9 * 9 * 4);
  EXPECT_EQ(p.density, 1.0);
  EXPECT_EQ(p.bytes, 4 * (100 + 36 + 40));
}

TEST(OpStatsTest, OpsWithoutWeightsHaveBytesOnly) {
  GraphBuilder b;
  const int x = b.Input({1, 2, 2, 2});
  const Graph graph = b.Finish({b.Op(OpType::kAdd, {x, x})});
  const OpProfile p = DescribeOp(graph, graph.ops[0]);
  EXPECT_EQ(p.macs, 0);
  EXPECT_EQ(p.density, 1.0);
  EXPECT_EQ(p.bytes, 4 * 24);
  EXPECT_EQ(OpWeightBytes(graph.ops[0]), 0);
}

TEST(OpStatsTest, AConversionReadsFloatsOrWritesThem) {
  GraphBuilder b;
  Graph graph = b.Finish({b.Input({1, 2, 3, 4})});
  graph.tensors[0].name = "image";
  const OpProfile profile = DescribeConversion(graph, 0, "Pack", "copy", 2);
  EXPECT_EQ(profile.name, "image");
  EXPECT_EQ(profile.type, "Pack");
  EXPECT_EQ(profile.kernel, "copy");
  EXPECT_EQ(profile.input, profile.output);
  EXPECT_EQ(profile.bytes, 24 * (4 + 2));
  EXPECT_EQ(profile.runs, 0);
}

}  // namespace
}  // namespace mcpruner
