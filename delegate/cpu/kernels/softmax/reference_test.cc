#include "delegate/cpu/kernels/softmax/reference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace mcpruner {
namespace {

std::vector<float> Softmax(float beta, const Shape& shape, const std::vector<float>& x) {
  std::vector<float> y(x.size());
  SoftmaxReference({beta}, shape, x.data(), y.data());
  return y;
}

TEST(SoftmaxReferenceTest, DividesPowersByTheirSum) {
  const std::vector<float> y = Softmax(1.0f, {1, 1, 1, 3}, {0.0f, std::log(2.0f), std::log(5.0f)});
  EXPECT_FLOAT_EQ(y[0], 0.125f);
  EXPECT_FLOAT_EQ(y[1], 0.25f);
  EXPECT_FLOAT_EQ(y[2], 0.625f);
}

TEST(SoftmaxReferenceTest, BetaScalesTheInput) {
  const std::vector<float> y = Softmax(0.5f, {1, 1, 1, 2}, {0.0f, std::log(9.0f)});
  EXPECT_FLOAT_EQ(y[0], 0.25f);
  EXPECT_FLOAT_EQ(y[1], 0.75f);
}

TEST(SoftmaxReferenceTest, LargeInputsStayFinite) {
  EXPECT_EQ(Softmax(1.0f, {1, 1, 1, 3}, {3e38f, 3e38f, -3e38f}), (std::vector<float>{0.5f, 0.5f, 0.0f}));
}

TEST(SoftmaxReferenceTest, EachPixelOfEachImageByItself) {
  EXPECT_EQ(Softmax(1.0f, {2, 1, 2, 2}, {0, 0, 5, 5, -9, -9, 100, -100}),
            (std::vector<float>{0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 1, 0}));
  EXPECT_EQ(Softmax(1.0f, {2, 0, 2, 2}, {}), std::vector<float>{});
}

}  // namespace
}  // namespace mcpruner
