#include "delegate/cpu/kernels/binary/reference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace mcpruner {
namespace {

std::vector<float> Binary(BinaryFunction function, const Shape& a_shape, const std::vector<float>& a,
                          const Shape& b_shape, const std::vector<float>& b, const Shape& out) {
  std::vector<float> y(static_cast<size_t>(out.size()));
  BinaryReference(function, a_shape, a.data(), b_shape, b.data(), out, y.data());
  return y;
}

TEST(BinaryReferenceTest, CombinesEqualShapes) {
  const Shape s{1, 1, 2, 2};
  const std::vector<float> a{1, 2, 3, 4}, b{10, 20, 30, 40};
  EXPECT_EQ(Binary(BinaryFunction::kAdd, s, a, s, b, s), (std::vector<float>{11, 22, 33, 44}));
  EXPECT_EQ(Binary(BinaryFunction::kSub, s, a, s, b, s), (std::vector<float>{-9, -18, -27, -36}));
  EXPECT_EQ(Binary(BinaryFunction::kMul, s, a, s, b, s), (std::vector<float>{10, 40, 90, 160}));
}

TEST(BinaryReferenceTest, RepeatsADimensionOfOneOnEitherSide) {
  const Shape s{1, 2, 2, 2};
  const std::vector<float> a{1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(Binary(BinaryFunction::kSub, s, a, {1, 1, 1, 2}, {1, 2}, s), (std::vector<float>{0, 0, 2, 2, 4, 4, 6, 6}));
  EXPECT_EQ(Binary(BinaryFunction::kSub, {1, 1, 1, 1}, {9}, s, a, s), (std::vector<float>{8, 7, 6, 5, 4, 3, 2, 1}));
  EXPECT_EQ(Binary(BinaryFunction::kAdd, s, a, {1, 2, 1, 1}, {10, 20}, s),
            (std::vector<float>{11, 12, 13, 14, 25, 26, 27, 28}));
  EXPECT_EQ(Binary(BinaryFunction::kAdd, s, a, {1, 1, 2, 1}, {10, 20}, s),
            (std::vector<float>{11, 12, 23, 24, 15, 16, 27, 28}));
}

TEST(BinaryReferenceTest, PreluMultipliesWhatIsNegative) {
  EXPECT_EQ(Binary(BinaryFunction::kPrelu, {1, 1, 2, 2}, {-1, 2, 3, -4}, {1, 1, 1, 2}, {0.5f, 10}, {1, 1, 2, 2}),
            (std::vector<float>{-0.5f, 2, 3, -40}));
}

TEST(BinaryReferenceTest, DividesAndSquaresDifferences) {
  const Shape s{1, 1, 2, 2};
  const std::vector<float> a{1, -2, 3, 0}, b{4, 0, 2, -5};
  EXPECT_EQ(Binary(BinaryFunction::kDiv, s, a, s, b, s), (std::vector<float>{0.25f, -INFINITY, 1.5f, 0}));
  EXPECT_EQ(Binary(BinaryFunction::kSquaredDifference, s, a, s, b, s), (std::vector<float>{9, 4, 1, 25}));
}

// TFLite's kernels compare and choose, so the second operand comes out where one is NaN.
TEST(BinaryReferenceTest, TheLargerAndTheSmallerAreTheSecondOperandBesideNan) {
  const Shape s{1, 1, 2, 2};
  const std::vector<float> a{1, -2, NAN, 3}, b{4, -5, 2, NAN};
  for (const auto function : {BinaryFunction::kMaximum, BinaryFunction::kMinimum}) {
    const std::vector<float> y = Binary(function, s, a, s, b, s);
    const bool larger = function == BinaryFunction::kMaximum;
    EXPECT_EQ(y[0], larger ? 4 : 1);
    EXPECT_EQ(y[1], larger ? -2 : -5);
    EXPECT_EQ(y[2], 2);
    EXPECT_TRUE(std::isnan(y[3]));
  }
}

TEST(BinaryReferenceTest, RepeatsOverTheBatch) {
  EXPECT_EQ(Binary(BinaryFunction::kMul, {3, 1, 1, 2}, {1, 2, 3, 4, 5, 6}, {1, 1, 1, 2}, {1, 10}, {3, 1, 1, 2}),
            (std::vector<float>{1, 20, 3, 40, 5, 60}));
}

}  // namespace
}  // namespace mcpruner
