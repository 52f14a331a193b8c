#include "delegate/cpu/kernels/transpose/reference.h"

#include <gtest/gtest.h>

#include <vector>

namespace mcpruner {
namespace {

std::vector<float> Transpose(const std::array<int, 4>& order, const Shape& in, const std::vector<float>& x) {
  std::vector<float> y(x.size());
  TransposeReference({order}, in, x.data(), y.data());
  return y;
}

TEST(TransposeReferenceTest, MovesDimensions) {
  const std::vector<float> x{1, 2, 3, 4, 5, 6};
  EXPECT_EQ(Transpose({0, 1, 3, 2}, {1, 1, 2, 3}, x), (std::vector<float>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(Transpose({3, 0, 1, 2}, {1, 2, 1, 3}, x), (std::vector<float>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(Transpose({0, 2, 1, 3}, {1, 3, 2, 1}, x), (std::vector<float>{1, 3, 5, 2, 4, 6}));
  EXPECT_EQ(Transpose({0, 1, 2, 3}, {1, 3, 2, 1}, x), x);
}

// The three dimensions go round: y[w, n, h] = x[n, h, w].
TEST(TransposeReferenceTest, GoesRound) {
  EXPECT_EQ(Transpose({2, 0, 1, 3}, {2, 2, 2, 1}, {0, 1, 2, 3, 4, 5, 6, 7}),
            (std::vector<float>{0, 2, 4, 6, 1, 3, 5, 7}));
}

}  // namespace
}  // namespace mcpruner
