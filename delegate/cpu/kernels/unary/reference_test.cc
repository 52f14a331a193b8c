#include "delegate/cpu/kernels/unary/reference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace mcpruner {
namespace {

const std::vector<float> kInput{-200, -4, -3, -1.5f, -0.5f, 0, 0.5f, 1.5f, 3, 7, 200};

std::vector<float> Unary(UnaryFunction function) {
  std::vector<float> y(kInput.size());
  UnaryReference({function, 0.25f}, static_cast<int64_t>(y.size()), kInput.data(), y.data());
  return y;
}

TEST(UnaryReferenceTest, Clamps) {
  EXPECT_EQ(Unary(UnaryFunction::kRelu), (std::vector<float>{0, 0, 0, 0, 0, 0, 0.5f, 1.5f, 3, 7, 200}));
  EXPECT_EQ(Unary(UnaryFunction::kRelu6), (std::vector<float>{0, 0, 0, 0, 0, 0, 0.5f, 1.5f, 3, 6, 6}));
  EXPECT_EQ(Unary(UnaryFunction::kReluN1To1), (std::vector<float>{-1, -1, -1, -1, -0.5f, 0, 0.5f, 1, 1, 1, 1}));
}

TEST(UnaryReferenceTest, HardSwish) {
  const std::vector<float> expected{0, 0, 0, -0.375f, -1.25f / 6, 0, 1.75f / 6, 1.125f, 3, 7, 200};
  const std::vector<float> y = Unary(UnaryFunction::kHardSwish);
  for (size_t i = 0; i < y.size(); ++i) EXPECT_FLOAT_EQ(y[i], expected[i]) << kInput[i];
}

TEST(UnaryReferenceTest, Logistic) {
  const std::vector<float> y = Unary(UnaryFunction::kLogistic);
  EXPECT_EQ(y[5], 0.5f);
  EXPECT_FLOAT_EQ(y[8], 0.95257413f);
  EXPECT_NEAR(y.front(), 0.0f, 1e-37);
  EXPECT_EQ(y.back(), 1.0f);
  for (size_t i = 0; i < y.size(); ++i) EXPECT_FLOAT_EQ(y[i], 0.5f + 0.5f * std::tanh(0.5f * kInput[i])) << kInput[i];
}

// Figures of Python's math module.
TEST(UnaryReferenceTest, Others) {
  const auto at = [](UnaryFunction function, float x) {
    float y = 0.0f;
    UnaryReference({function, 0.25f}, 1, &x, &y);
    return y;
  };
  EXPECT_EQ(at(UnaryFunction::kLeakyRelu, -3.0f), -0.75f);
  EXPECT_EQ(at(UnaryFunction::kLeakyRelu, 3.0f), 3.0f);
  EXPECT_FLOAT_EQ(at(UnaryFunction::kElu, -0.5f), -0.39346934f);
  EXPECT_EQ(at(UnaryFunction::kElu, 2.5f), 2.5f);
  EXPECT_FLOAT_EQ(at(UnaryFunction::kTanh, 0.5f), 0.46211716f);
  EXPECT_FLOAT_EQ(at(UnaryFunction::kGelu, -1.5f), -0.10021080f);
  EXPECT_FLOAT_EQ(at(UnaryFunction::kGeluTanh, -1.5f), -0.10042841f);
  EXPECT_FLOAT_EQ(at(UnaryFunction::kSilu, 1.5f), 1.2263617f);
  EXPECT_FLOAT_EQ(at(UnaryFunction::kMish, -1.5f), -0.29809974f);
  EXPECT_FLOAT_EQ(at(UnaryFunction::kExp, 1.0f), 2.7182817f);
  EXPECT_FLOAT_EQ(at(UnaryFunction::kLog, 10.0f), 2.3025851f);
  EXPECT_EQ(at(UnaryFunction::kSqrt, 6.25f), 2.5f);
  EXPECT_EQ(at(UnaryFunction::kRsqrt, 0.25f), 2.0f);
  EXPECT_EQ(at(UnaryFunction::kSquare, -1.5f), 2.25f);
  EXPECT_EQ(at(UnaryFunction::kAbs, -1.5f), 1.5f);
  EXPECT_EQ(at(UnaryFunction::kNeg, -1.5f), 1.5f);
}

TEST(ActivationReferenceTest, WorksInPlace) {
  const auto activated = [](Activation activation) {
    std::vector<float> y{-2, 0.5f, 8};
    ActivationReference(activation, 3, y.data());
    return y;
  };
  EXPECT_EQ(activated(Activation::kNone), (std::vector<float>{-2, 0.5f, 8}));
  EXPECT_EQ(activated(Activation::kRelu), (std::vector<float>{0, 0.5f, 8}));
  EXPECT_EQ(activated(Activation::kReluN1To1), (std::vector<float>{-1, 0.5f, 1}));
  EXPECT_EQ(activated(Activation::kRelu6), (std::vector<float>{0, 0.5f, 6}));
}

}  // namespace
}  // namespace mcpruner
