#include "delegate/cpu/step/step.h"

#include <gtest/gtest.h>

#include <tuple>
#include <vector>

namespace mcpruner {
namespace {

using Parts = std::vector<std::tuple<int, int, int>>;  // image, first row, one past the last

Parts PartsOf(Range rows, int height) {
  Parts parts;
  ForEachImage(rows, height, [&](int image, Range part) { parts.emplace_back(image, part.begin, part.end); });
  return parts;
}

TEST(StepTest, RowsOfSeveralImagesComeImageByImage) {
  EXPECT_EQ(PartsOf({0, 15}, 5), (Parts{{0, 0, 5}, {1, 0, 5}, {2, 0, 5}}));
  EXPECT_EQ(PartsOf({3, 12}, 5), (Parts{{0, 3, 5}, {1, 0, 5}, {2, 0, 2}}));
  EXPECT_EQ(PartsOf({6, 8}, 5), (Parts{{1, 1, 3}}));
  EXPECT_EQ(PartsOf({7, 7}, 5), Parts());
}

}  // namespace
}  // namespace mcpruner
