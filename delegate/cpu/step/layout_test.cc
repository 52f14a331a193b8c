#include "delegate/cpu/step/layout.h"

#include <gtest/gtest.h>

#include "delegate/cpu/step/layout_plan.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

TEST(LayoutTest, SharesTheZerosBetweenRows) {
  const HcwLayout layout = MakeLayout({2, 3, 5, 4}, {1, 2, 1, 2});
  EXPECT_EQ(layout.pitch, 7);
  EXPECT_EQ(layout.fill(), 2);
  EXPECT_EQ(layout.row_stride(), 28);
  EXPECT_EQ(layout.image_stride(), 6 * 28);
  EXPECT_EQ(layout.Pixel(0, 0, 0, 0), 28 + 1);
  EXPECT_EQ(layout.Pixel(1, 2, 3, 4), 6 * 28 + 3 * 28 + 3 * 7 + 1 + 4);
  EXPECT_EQ(layout.BufferFloats(), 2 * 6 * 28 + kSlackFloats);
  EXPECT_EQ(layout.shape(), (Shape{2, 3, 5, 4}));
}

TEST(LayoutTest, OnlyPixelsWithoutBordersAreVectors) {
  EXPECT_TRUE(MakeLayout({3, 1, 1, 7}, {}).is_vector());
  EXPECT_FALSE(MakeLayout({3, 1, 1, 7}, {0, 0, 1, 0}).is_vector());
  EXPECT_FALSE(MakeLayout({3, 1, 1, 7}, {1, 0, 0, 0}).is_vector());
  EXPECT_FALSE(MakeLayout({3, 1, 2, 7}, {}).is_vector());
}

TEST(LayoutTest, EmptyTensorsNeedNoMemory) { EXPECT_EQ(MakeLayout({1, 0, 5, 4}, {1, 1, 1, 1}).BufferFloats(), 0); }

TEST(LayoutTest, ClearBordersLeavesTheRowsOfPixelsAlone) {
  const HcwLayout layout = MakeLayout({2, 2, 3, 1}, {1, 1, 1, 1});
  std::vector<float> data(static_cast<size_t>(layout.BufferFloats()), 7.0f);
  ClearBorders(layout, data.data());
  // A row of zeros and the head, rows that own what lies behind them, and a row of zeros.
  const std::vector<float> above(4 + 1, 0.0f), rows(2 * 4 - 1, 7.0f), below(4, 0.0f);
  std::vector<float> expected;
  for (int i = 0; i < 2; ++i) {
    expected.insert(expected.end(), above.begin(), above.end());
    expected.insert(expected.end(), rows.begin(), rows.end());
    expected.insert(expected.end(), below.begin(), below.end());
  }
  expected.push_back(0.0f);  // to the right of the last row of zeros
  expected.resize(data.size(), 7.0f);
  EXPECT_EQ(data, expected);
}

TEST(LayoutPlanTest, BordersAreWhatTheWidestReaderNeeds) {
  std::mt19937 rng(1);
  GraphBuilder b;
  const int x = b.Input({1, 9, 9, 2});
  const auto conv = [&](int kernel, const Window& window) {
    const auto layer = RandomLayer(rng, LayerKind::kConv2D, {2, kernel, kernel, 2}, 2, 2, 1.0);
    return b.Op(OpType::kConv, {x}, ConvParams{window, layer});
  };
  const int a = conv(3, {1, 1, 1, 1, {1, 1, 1, 1}});
  const int c = conv(5, {1, 1, 1, 1, {0, 2, 2, 1}});
  const int strided = conv(3, {2, 2, 1, 1, {5, 5, 5, 5}});  // copies its input, padding and all
  const std::vector<HcwLayout> layouts = PlanLayouts(b.Finish({a, c, strided}));
  const Padding2D& border = layouts[static_cast<size_t>(x)].border;
  EXPECT_EQ(border.top, 1);
  EXPECT_EQ(border.bottom, 2);
  EXPECT_EQ(border.left, 2);
  EXPECT_EQ(border.right, 1);
  EXPECT_EQ(layouts[static_cast<size_t>(a)].pitch, 9);
}

TEST(LayoutPlanTest, ABorderIsThereWhereEachSideIsAsWide) {
  const HcwLayout bare = MakeLayout({1, 8, 8, 1}, {}), wide = MakeLayout({1, 8, 8, 1}, {1, 2, 3, 4});
  EXPECT_TRUE(HasBorder(bare, {}));
  EXPECT_FALSE(HasBorder(bare, {0, 0, 1, 0}));
  EXPECT_TRUE(HasBorder(wide, {1, 2, 3, 4}));
  for (const Padding2D& wider : {Padding2D{2, 2, 3, 4}, {1, 3, 3, 4}, {1, 2, 4, 4}, {1, 2, 3, 5}}) {
    EXPECT_FALSE(HasBorder(wide, wider));
  }
}

TEST(LayoutPlanTest, AbsurdBordersAreLeftOut) {
  std::mt19937 rng(1);
  GraphBuilder b;
  const auto layer = RandomLayer(rng, LayerKind::kConv2D, {1, 1, 1, 1}, 1, 1, 1.0);
  const int x = b.Input({1, 2, 2, 1});
  const int y = b.Op(OpType::kConv, {x}, ConvParams{{1, 1, 1, 1, {0, 0, 65, 0}}, layer});
  EXPECT_EQ(PlanLayouts(b.Finish({y}))[static_cast<size_t>(x)].border.left, 0);
}

}  // namespace
}  // namespace mcpruner
