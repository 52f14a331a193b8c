#include "delegate/cpu/kernels/pool/reference.h"

#include <gtest/gtest.h>

#include <vector>

namespace mcpruner {
namespace {

PoolParams Params(int filter, int stride, const Padding2D& padding = {}) {
  PoolParams p;
  p.filter_height = p.filter_width = filter;
  p.window.stride_h = p.window.stride_w = stride;
  p.window.padding = padding;
  return p;
}

TEST(PoolReferenceTest, TakesTheLargestAndTheAverageOfEachWindow) {
  const std::vector<float> x{1, 2, 3, 4, 5, 6, 7, 8, 9};
  std::vector<float> y(4);
  MaxPoolReference(Params(2, 1), {1, 3, 3, 1}, x.data(), {1, 2, 2, 1}, y.data());
  EXPECT_EQ(y, (std::vector<float>{5, 6, 8, 9}));
  AveragePoolReference(Params(2, 1), {1, 3, 3, 1}, x.data(), {1, 2, 2, 1}, y.data());
  EXPECT_EQ(y, (std::vector<float>{3, 4, 6, 7}));
}

TEST(PoolReferenceTest, PaddingIsNeitherLargerNorCounted) {
  const std::vector<float> x{-1, -2, -3, -4};
  std::vector<float> y(4);
  const PoolParams p = Params(2, 2, {1, 1, 1, 1});  // each window covers one element
  MaxPoolReference(p, {1, 2, 2, 1}, x.data(), {1, 2, 2, 1}, y.data());
  EXPECT_EQ(y, x);
  AveragePoolReference(p, {1, 2, 2, 1}, x.data(), {1, 2, 2, 1}, y.data());
  EXPECT_EQ(y, x);
}

TEST(PoolReferenceTest, KeepsChannelsAndImagesApart) {
  // There are two images of 1x2 pixels and two channels.
  const std::vector<float> x{1, 50, 2, 40, 3, 30, 4, 20};
  std::vector<float> y(4);
  PoolParams p = Params(1, 1);
  p.filter_width = 2;
  MaxPoolReference(p, {2, 1, 2, 2}, x.data(), {2, 1, 1, 2}, y.data());
  EXPECT_EQ(y, (std::vector<float>{2, 50, 4, 30}));
  AveragePoolReference(p, {2, 1, 2, 2}, x.data(), {2, 1, 1, 2}, y.data());
  EXPECT_EQ(y, (std::vector<float>{1.5f, 45, 3.5f, 25}));
}

TEST(PoolReferenceTest, RowsAndColumnsHaveStridesOfTheirOwn) {
  const std::vector<float> x{1, 2, 3, 4, 5, 6, 7, 8, 9};
  PoolParams p = Params(1, 1);
  p.window.stride_w = 2;
  std::vector<float> y(6);
  MaxPoolReference(p, {1, 3, 3, 1}, x.data(), {1, 3, 2, 1}, y.data());
  EXPECT_EQ(y, (std::vector<float>{1, 3, 4, 6, 7, 9}));
}

}  // namespace
}  // namespace mcpruner
