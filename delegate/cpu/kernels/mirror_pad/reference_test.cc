#include "delegate/cpu/kernels/mirror_pad/reference.h"

#include <gtest/gtest.h>

#include <vector>

namespace mcpruner {
namespace {

TEST(MirrorPadReferenceTest, TheEdgeIsLeftOutOrNot) {
  const std::vector<float> x{1, 2, 3};
  std::vector<float> y(7);
  MirrorPadReference({{0, 0, 2, 0}, {0, 0, 2, 0}, false}, {1, 1, 3, 1}, x.data(), {1, 1, 7, 1}, y.data());
  EXPECT_EQ(y, (std::vector<float>{3, 2, 1, 2, 3, 2, 1}));
  MirrorPadReference({{0, 0, 2, 0}, {0, 0, 2, 0}, true}, {1, 1, 3, 1}, x.data(), {1, 1, 7, 1}, y.data());
  EXPECT_EQ(y, (std::vector<float>{2, 1, 1, 2, 3, 3, 2}));
}

TEST(MirrorPadReferenceTest, EachDimensionHasItsOwnPadding) {
  const std::vector<float> x{1, 2, 3, 4, 5, 6, 7, 8};  // two images of two rows of two channels
  std::vector<float> y(3 * 3 * 3);
  MirrorPadReference({{1, 0, 0, 1}, {0, 1, 0, 0}, true}, {2, 2, 1, 2}, x.data(), {3, 3, 1, 3}, y.data());
  EXPECT_EQ(y, (std::vector<float>{1, 1, 2, 3, 3, 4, 3, 3, 4,  //
                                   1, 1, 2, 3, 3, 4, 3, 3, 4,  //
                                   5, 5, 6, 7, 7, 8, 7, 7, 8}));
}

}  // namespace
}  // namespace mcpruner
