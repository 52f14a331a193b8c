#include "delegate/cpu/engine/stream_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "delegate/cpu/engine/make_step.h"
#include "delegate/cpu/engine/simd_targets.h"
#include "delegate/cpu/step/layout_plan.h"
#include "delegate/graph/testing/graph_builder.h"

namespace mcpruner {
namespace {

int Depthwise(GraphBuilder& b, int x, int kernel, int stride, const Padding2D& padding) {
  const int channels = b.shape(x).c;
  DepthwiseParams params;
  params.kernel_height = params.kernel_width = kernel;
  params.window = {stride, stride, 1, 1, padding};
  params.weights = std::make_shared<const std::vector<float>>(static_cast<size_t>(kernel * kernel * channels));
  params.bias = std::make_shared<const std::vector<float>>(static_cast<size_t>(channels));
  return b.Op(OpType::kDepthwiseConv, {x}, params);
}

int Unary(GraphBuilder& b, int x) { return b.Op(OpType::kUnary, {x}, UnaryParams{}); }

// Returns what the steps of a graph's ops say of their reach.
Reaches ReachesOf(const Graph& graph) {
  std::vector<TensorRef> tensors;
  for (const HcwLayout& layout : PlanLayouts(graph)) tensors.push_back({layout});
  Reaches reaches;
  for (const Op& op : graph.ops) {
    reaches.push_back(MakeStep({graph, op, tensors, *RunnableMicroKernels()[0]})->Reach());
  }
  return reaches;
}

std::vector<Band> BandsOf(const Graph& graph, const Chain& chain, Range rows) {
  return PlanBands(graph, chain, ReachesOf(graph), rows);
}

// Returns how many ops each chain has: "2+1+3".
std::string Chains(const Graph& graph, int64_t l2_bytes) {
  std::string text;
  for (const Chain& chain : PlanChains(graph, PlanLayouts(graph), ReachesOf(graph), l2_bytes)) {
    text += (text.empty() ? "" : "+") + std::to_string(chain.num_ops);
    EXPECT_EQ(chain.num_ops == 1, chain.band_rows == 0);
  }
  return text;
}

std::string Text(Range range) { return std::to_string(range.begin) + ".." + std::to_string(range.end); }

// Returns the rows of each op of a band as text: "made there, made there, made".
std::string Text(const Band& band) {
  std::string text;
  for (size_t i = 0; i + 1 < band.ops.size(); ++i) {
    text += Text(band.ops[i].made) + " " + Text(band.ops[i].there) + ", ";
  }
  return text + Text(band.ops.back().made);
}

TEST(StreamPlanTest, StreamsWhatTheCacheDoesNotHold) {
  GraphBuilder b;
  const int x = b.Input({1, 64, 15, 4});  // with a border of 1 its rows are 256 bytes long
  const Graph graph = b.Finish({Depthwise(b, Depthwise(b, Unary(b, x), 3, 1, {1, 1, 1, 1}), 3, 1, {1, 1, 1, 1})});
  EXPECT_EQ(Chains(graph, 8 * 1024), "3");
  // The tensors fit the cache.
  EXPECT_EQ(Chains(graph, 32 * 1024), "1+1+1");
  // A band of 4 rows needs 4 + 2 between the last two ops and as many between the first two.
  // The fewest rows may take five eighths of the cache.
  EXPECT_EQ(Chains(graph, 8 * 615), "3");
  EXPECT_EQ(Chains(graph, 8 * 615 - 1), "1+2");
  EXPECT_EQ(Chains(graph, 8 * 308), "1+2");
  EXPECT_EQ(Chains(graph, 8 * 308 - 1), "1+1+1");
  EXPECT_EQ(Chains(graph, 0), "1+1+1");
}

// Windows side by side keep nothing between bands: 4 rows of the depthwise convolution are enough, 2 of the pool.
TEST(StreamPlanTest, PoolsWithoutOverlapNeedFewRows) {
  const auto pooled = [](int filter) {
    GraphBuilder b;
    const int x = Depthwise(b, b.Input({1, 64, 15, 4}), 3, 1, {1, 1, 1, 1});
    return b.Finish({b.Op(OpType::kMaxPool, {x}, PoolParams{{2, 2, 1, 1, {}}, filter, filter})});
  };
  constexpr int kRowBytes = 4 * 16 * 4;  // rows of 15 pixels, aligned
  EXPECT_EQ(Chains(pooled(2), 8 * (4 * kRowBytes / 5 + 1)), "2");
  EXPECT_EQ(Chains(pooled(2), 4 * 4 * kRowBytes / 5), "1+1");
  EXPECT_EQ(Chains(pooled(3), 8 * (4 * kRowBytes / 5 + 1)), "1+1");  // needs 4 rows, of 9
}

TEST(StreamPlanTest, CutsWhereLeastIsLost) {
  GraphBuilder b;
  const int small = Depthwise(b, b.Input({1, 64, 15, 1}), 3, 1, {1, 1, 1, 1});
  PadParams channels;
  channels.after[3] = 3;
  const int large = b.Op(OpType::kPad, {small}, channels);
  const Graph graph = b.Finish({Unary(b, Unary(b, Depthwise(b, Unary(b, large), 3, 1, {1, 1, 1, 1})))});
  EXPECT_EQ(Chains(graph, 8 * 1024), "1+1+4");  // a pad is not streamed
}

TEST(StreamPlanTest, KeepsWhatOthersRead) {
  GraphBuilder b;
  const int x = Unary(b, b.Input({1, 64, 15, 4}));
  const int y = Unary(b, x), z = Unary(b, y);
  const int sum = b.Op(OpType::kAdd, {z, x});
  EXPECT_EQ(Chains(b.Finish({sum, y}), 4 * 1024), "1+1+2");
}

TEST(StreamPlanTest, KeepsRowsThatTheNextBandReadsToo) {
  GraphBuilder b;
  const Graph graph = b.Finish({Depthwise(b, Unary(b, b.Input({2, 10, 4, 1})), 3, 1, {1, 1, 1, 1})});
  const std::vector<Band> bands = BandsOf(graph, {0, 2, 4}, {0, 20});
  ASSERT_EQ(bands.size(), 6u);
  EXPECT_EQ(Text(bands[0]), "0..4 -1..4, 0..3");
  EXPECT_EQ(Text(bands[1]), "4..7 2..7, 3..6");
  EXPECT_EQ(Text(bands[2]), "7..10 5..11, 6..10");
  EXPECT_EQ(Text(bands[3]), "0..4 -1..4, 0..3");
  EXPECT_EQ(bands[2].image, 0);
  EXPECT_EQ(bands[3].image, 1);
}

TEST(StreamPlanTest, AThreadMakesTheRowsItReadsItself) {
  GraphBuilder b;
  const Graph graph = b.Finish({Depthwise(b, Unary(b, b.Input({1, 20, 4, 1})), 3, 2, {0, 1, 0, 1})});
  const std::vector<Band> bands = BandsOf(graph, {0, 2, 3}, {4, 10});
  ASSERT_EQ(bands.size(), 2u);
  EXPECT_EQ(Text(bands[0]), "8..15 8..15, 4..7");
  EXPECT_EQ(Text(bands[1]), "15..20 14..21, 7..10");
  EXPECT_TRUE(BandsOf(graph, {0, 2, 3}, {4, 4}).empty());
}

TEST(StreamPlanTest, RowsOfPaddingAloneAreNotMade) {
  GraphBuilder b;
  const int x = Unary(b, b.Input({1, 6, 4, 1}));
  const Graph graph = b.Finish({Depthwise(b, Unary(b, x), 1, 1, {3, 3, 0, 0})});
  const std::vector<Band> bands = BandsOf(graph, {0, 3, 2}, {0, 12});
  ASSERT_EQ(bands.size(), 6u);
  EXPECT_EQ(Text(bands[0]), "0..0 0..0, 0..0 -3..-1, 0..2");
  EXPECT_EQ(Text(bands[1]), "0..1 0..1, 0..1 -1..1, 2..4");
  EXPECT_EQ(Text(bands[4]), "5..6 5..6, 5..6 5..7, 8..10");
  EXPECT_EQ(Text(bands[5]), "6..6 5..6, 7..7 7..9, 10..12");
}

TEST(StreamPlanTest, TilesAreReadAsAWhole) {
  constexpr RowReach kReach{2, 1, 3, 4};
  EXPECT_EQ(Text(kReach.InputRows({0, 1})), "-1..8");
  EXPECT_EQ(Text(kReach.InputRows({3, 4})), "-1..8");
  EXPECT_EQ(Text(kReach.InputRows({3, 5})), "-1..16");
  EXPECT_EQ(Text(RowReach().InputRows({3, 5})), "3..5");
  EXPECT_EQ(Text(RowReach({3, 2, 5, 1}).InputRows({3, 5})), "7..15");
  EXPECT_EQ(Text(RowReach({1, 1, 3, 1, 2}).InputRows({3, 5})), "0..4");
  EXPECT_EQ(Text(RowReach({2, 0, 2, 1, 3}).InputRows({4, 5})), "2..4");
  for (const RowReach& reach : {RowReach(), RowReach{2, 1, 3, 1}, kReach, RowReach{1, 0, 1, 3}, RowReach{1, 1, 3, 1, 2},
                                RowReach{2, 0, 2, 1, 3}, RowReach{7, 1, 2, 1, 5}}) {
    for (int rows = 1; rows < 20; ++rows) {
      int most = 0;
      for (int first = 0; first < 12; ++first) {
        const Range read = reach.InputRows({first, first + rows});
        most = std::max(most, read.end - read.begin);
      }
      EXPECT_EQ(reach.MostInputRows(rows), most) << rows;
    }
  }
}

// The strides of 40 max pools, 2 to 65535 each, multiply beyond 2^63.
TEST(StreamPlanTest, LongChainsOfLargeStridesArePlanned) {
  for (const int stride : {2, 4096, 65535}) {
    GraphBuilder b;
    int x = b.Input({1, 40, 64, 16});
    for (int i = 0; i < 40; ++i) {
      const Window window{stride, 1, 1, 1, {stride - 1, stride - 1, 0, 0}};
      x = b.Op(OpType::kMaxPool, {x}, PoolParams{window, stride, 1});
    }
    int ops = 0;
    const Graph graph = b.Finish({x});
    for (const Chain& chain : PlanChains(graph, PlanLayouts(graph), ReachesOf(graph), 4096)) {
      ops += static_cast<int>(chain.num_ops);
    }
    EXPECT_EQ(ops, 40);
  }
}

}  // namespace
}  // namespace mcpruner
