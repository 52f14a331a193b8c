#include "delegate/base/relative_error.h"

#include <gtest/gtest.h>

#include <cmath>

namespace mcpruner {
namespace {

TEST(RelativeErrorTest, IsTheLargestDifferenceOverTheLargestMagnitude) {
  EXPECT_DOUBLE_EQ(RelativeError({1, -8, 2.5f}, {1, -8, 2}), 0.5 / 8);
  EXPECT_EQ(RelativeError({3, 4}, {3, 4}), 0);
  EXPECT_EQ(RelativeError({0, 0}, {0, 0}), 0);
  EXPECT_EQ(RelativeError({}, {}), 0);
}

TEST(RelativeErrorTest, NoNanIsRight) {
  EXPECT_TRUE(std::isnan(RelativeError({1, NAN}, {1, 2})));
  EXPECT_TRUE(std::isnan(RelativeError({NAN, 1}, {NAN, 1})));
  EXPECT_TRUE(std::isnan(RelativeError({INFINITY}, {INFINITY})));
}

}  // namespace
}  // namespace mcpruner
