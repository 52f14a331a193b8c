#include "delegate/cpu/kernels/pad/reference.h"

#include <gtest/gtest.h>

#include <vector>

namespace mcpruner {
namespace {

TEST(PadReferenceTest, SurroundsRowsAndColumns) {
  const std::vector<float> x{1, 2};
  std::vector<float> y(12);
  PadReference({{0, 1, 1, 0}, {0, 1, 1, 0}, -7.0f}, {1, 1, 2, 1}, x.data(), {1, 3, 4, 1}, y.data());
  EXPECT_EQ(y, (std::vector<float>{-7, -7, -7, -7, -7, 1, 2, -7, -7, -7, -7, -7}));
}

TEST(PadReferenceTest, AddsChannelsAsTheShortcutOfAResNetDoes) {
  const std::vector<float> x{1, 2, 3, 4};
  std::vector<float> y(8);
  PadReference({{0, 0, 0, 1}, {0, 0, 0, 1}}, {1, 1, 2, 2}, x.data(), {1, 1, 2, 4}, y.data());
  EXPECT_EQ(y, (std::vector<float>{0, 1, 2, 0, 0, 3, 4, 0}));
}

TEST(PadReferenceTest, AddsImages) {
  const std::vector<float> x{5};
  std::vector<float> y(3);
  PadReference({{1, 0, 0, 0}, {1, 0, 0, 0}}, {1, 1, 1, 1}, x.data(), {3, 1, 1, 1}, y.data());
  EXPECT_EQ(y, (std::vector<float>{0, 5, 0}));
}

TEST(PadReferenceTest, AnEmptyInputGivesTheValueEverywhere) {
  std::vector<float> y(2);
  PadReference({{0, 1, 0, 0}, {0, 1, 0, 0}, 3.0f}, {1, 0, 1, 1}, nullptr, {1, 2, 1, 1}, y.data());
  EXPECT_EQ(y, (std::vector<float>{3, 3}));
}

}  // namespace
}  // namespace mcpruner
