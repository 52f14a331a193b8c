#include "delegate/graph/activation_range.h"

#include <gtest/gtest.h>

#include <limits>

namespace mcpruner {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

void ExpectRange(Activation activation, bool clamp, float low, float high) {
  const ActivationRange range = RangeOf(activation);
  EXPECT_EQ(range.clamp, clamp);
  EXPECT_EQ(range.low, low);
  EXPECT_EQ(range.high, high);
}

TEST(ActivationRangeTest, ActivationsAreTheClampsThatTheirNamesSay) {
  ExpectRange(Activation::kNone, false, -kInfinity, kInfinity);
  ExpectRange(Activation::kRelu, true, 0, kInfinity);
  ExpectRange(Activation::kReluN1To1, true, -1, 1);
  ExpectRange(Activation::kRelu6, true, 0, 6);
}

TEST(ActivationRangeTest, ClampsAmongTheFunctionsAreActivations) {
  EXPECT_EQ(ActivationOf(UnaryFunction::kRelu), Activation::kRelu);
  EXPECT_EQ(ActivationOf(UnaryFunction::kReluN1To1), Activation::kReluN1To1);
  EXPECT_EQ(ActivationOf(UnaryFunction::kRelu6), Activation::kRelu6);
  EXPECT_EQ(ActivationOf(UnaryFunction::kHardSwish), Activation::kNone);
  EXPECT_EQ(ActivationOf(UnaryFunction::kLogistic), Activation::kNone);
}

}  // namespace
}  // namespace mcpruner
