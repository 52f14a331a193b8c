#include "delegate/graph/graph.h"

#include <gtest/gtest.h>

#include <string>

namespace mcpruner {
namespace {

TEST(ShapeTest, SizeAndIndexFollowNhwc) {
  const Shape s{2, 3, 4, 5};
  EXPECT_EQ(s.size(), 120);
  EXPECT_EQ(s.index(0, 0, 0, 4), 4);
  EXPECT_EQ(s.index(0, 0, 1, 0), 5);
  EXPECT_EQ(s.index(0, 1, 0, 0), 20);
  EXPECT_EQ(s.index(1, 2, 3, 4), 119);
  EXPECT_EQ((Shape{1 << 15, 1 << 15, 1, 1}.size()), int64_t{1} << 30);
}

TEST(WindowOutputTest, CountsTheWindowsThatFit) {
  EXPECT_EQ(WindowOutput(5, 3, 1, 1, 0, 0), 3);
  EXPECT_EQ(WindowOutput(5, 3, 1, 1, 1, 1), 5);
  EXPECT_EQ(WindowOutput(224, 7, 2, 1, 2, 3), 112);
  EXPECT_EQ(WindowOutput(6, 3, 2, 1, 0, 0), 2);  // the last row is in no window
  EXPECT_EQ(WindowOutput(7, 3, 1, 3, 0, 0), 1);  // dilated to 7
  EXPECT_EQ(WindowOutput(6, 3, 1, 3, 0, 0), 0);  // dilated kernel does not fit
  EXPECT_EQ(WindowOutput(0, 1, 1, 1, 0, 0), 0);
  EXPECT_EQ(WindowOutput(1, 3, 4, 1, 0, 0), 0);  // -2 / 4 is not 0 windows + 1
}

TEST(WindowOutputTest, HugeNumbersDoNotOverflow) {
  EXPECT_EQ(WindowOutput(2147483647, 1, 1, 1, 2147483647, 2147483647), 2147483647);
  EXPECT_EQ(WindowOutput(1, 2147483647, 1, 2147483647, 0, 0), 0);
}

TEST(OpTypeTest, IsNamedAsInTheListOfOps) { EXPECT_STREQ(OpTypeName(OpType::kDepthwiseConv), "DepthwiseConv"); }

TEST(OpTypeTest, OpsThatComputeSumsOrPoolsTakeActivations) {
  EXPECT_TRUE(TakesActivation(OpType::kConv));
  EXPECT_TRUE(TakesActivation(OpType::kMaxPool));
  EXPECT_FALSE(TakesActivation(OpType::kConcat));
  EXPECT_FALSE(TakesActivation(OpType::kUnary));
}

TEST(OpTypeTest, FunctionsOfTwoTensorsAreNamedAsTheirOps) {
  EXPECT_EQ(BinaryFunctionOf(OpType::kAdd), BinaryFunction::kAdd);
  EXPECT_EQ(BinaryFunctionOf(OpType::kPrelu), BinaryFunction::kPrelu);
  EXPECT_TRUE(TakesActivation(OpType::kSub));
  EXPECT_FALSE(TakesActivation(OpType::kPrelu));
}

}  // namespace
}  // namespace mcpruner
