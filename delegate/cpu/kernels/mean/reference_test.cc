#include "delegate/cpu/kernels/mean/reference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace mcpruner {
namespace {

TEST(MeanReferenceTest, AveragesThePixelsOfEachChannelAndImage) {
  const std::vector<float> x{1,  10, 2,  20, 3,  30, 6,  60,  // image 0: 2x2 pixels, two channels
                             -1, 0,  -1, 0,  -1, 0,  -1, 4};  // image 1
  std::vector<float> y(4);
  MeanReference({2, 2, 2, 2}, x.data(), y.data());
  EXPECT_EQ(y, (std::vector<float>{3, 30, -1, 1}));
}

TEST(MeanReferenceTest, KeepsSmallTermsBesideLargeOnes) {
  // In float32 1e8 + 1 is 1e8, so a float sum of these is 0.
  const std::vector<float> x{1e8f, 1, 1, -1e8f};
  float y = 0;
  MeanReference({1, 1, 4, 1}, x.data(), &y);
  EXPECT_EQ(y, 0.5f);
}

TEST(MeanReferenceTest, TheMeanOfNothingIsNotANumber) {
  float y = 0;
  MeanReference({1, 0, 3, 1}, nullptr, &y);
  EXPECT_TRUE(std::isnan(y));
}

}  // namespace
}  // namespace mcpruner
