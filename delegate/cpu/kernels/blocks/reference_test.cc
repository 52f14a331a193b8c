#include "delegate/cpu/kernels/blocks/reference.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace mcpruner {
namespace {

std::vector<float> Iota(const Shape& shape) {
  std::vector<float> values(static_cast<size_t>(shape.size()));
  std::iota(values.begin(), values.end(), 0.0f);
  return values;
}

std::vector<float> DepthToSpace(const DepthToSpaceParams& params, const Shape& in, const Shape& out) {
  std::vector<float> y(static_cast<size_t>(out.size()));
  DepthToSpaceReference(params, in, Iota(in).data(), out, y.data());
  return y;
}

TEST(BlocksReferenceTest, APixelBecomesABlock) {
  EXPECT_EQ(DepthToSpace({2, 2}, {1, 1, 2, 4}, {1, 2, 4, 1}), (std::vector<float>{0, 1, 4, 5, 2, 3, 6, 7}));
  EXPECT_EQ(DepthToSpace({2, 2}, {1, 1, 1, 8}, {1, 2, 2, 2}), Iota({1, 2, 2, 2}));  // two channels
  EXPECT_EQ(DepthToSpace({1, 3}, {2, 1, 1, 3}, {2, 1, 3, 1}), Iota({2, 1, 3, 1}));
  EXPECT_EQ(DepthToSpace({3, 1}, {1, 1, 2, 3}, {1, 3, 2, 1}), (std::vector<float>{0, 3, 1, 4, 2, 5}));
}

TEST(BlocksReferenceTest, RowsAndColumnsAreCroppedAtTheEnd) {
  EXPECT_EQ(DepthToSpace({2, 2, 1, 1}, {1, 1, 2, 4}, {1, 1, 3, 1}), (std::vector<float>{0, 1, 4}));
}

TEST(BlocksReferenceTest, SpaceToDepthIsTheWayBack) {
  const Shape flat{2, 6, 9, 2}, deep{2, 2, 3, 18};
  std::vector<float> x(static_cast<size_t>(deep.size())), y(static_cast<size_t>(flat.size()));
  SpaceToDepthReference({3}, flat, Iota(flat).data(), deep, x.data());
  EXPECT_EQ(x[1], 1);  // the second channel of the block's first pixel, and then its second pixel
  EXPECT_EQ(x[2], 2);
  DepthToSpaceReference({3, 3}, deep, x.data(), flat, y.data());
  EXPECT_EQ(y, Iota(flat));
}

}  // namespace
}  // namespace mcpruner
