#include "delegate/graph/resize_axis.h"

#include <gtest/gtest.h>

#include <vector>

namespace mcpruner {
namespace {

ResizeParams Params(bool align_corners, bool half_pixel_centers) {
  ResizeParams params;
  params.align_corners = align_corners;
  params.half_pixel_centers = half_pixel_centers;
  return params;
}

// Returns where the elements of the output lie in the input.
std::vector<float> Places(OpType type, const ResizeParams& params, int in, int out) {
  const ResizeAxis axis(type, params, in, out);
  std::vector<float> places;
  for (int i = 0; i < out; ++i) {
    const ResizeSource source = axis.At(i);
    places.push_back(static_cast<float>(source.lower) + source.share);
  }
  return places;
}

using Floats = std::vector<float>;

TEST(ResizeAxisTest, BilinearInItsThreeForms) {
  const auto places = [](const ResizeParams& params, int in, int out) {
    return Places(OpType::kResizeBilinear, params, in, out);
  };
  EXPECT_EQ(places(Params(false, false), 3, 6), (Floats{0, 0.5f, 1, 1.5f, 2, 2}));
  EXPECT_EQ(places(Params(false, true), 3, 6), (Floats{0, 0.25f, 0.75f, 1.25f, 1.75f, 2}));
  EXPECT_EQ(places(Params(true, false), 3, 5), (Floats{0, 0.5f, 1, 1.5f, 2}));
  EXPECT_EQ(places(Params(false, true), 8, 2), (Floats{1.5f, 5.5f}));
  EXPECT_EQ(places(Params(true, false), 8, 2), (Floats{0, 7}));
}

TEST(ResizeAxisTest, NearestInItsFourForms) {
  const auto places = [](const ResizeParams& params, int in, int out) {
    return Places(OpType::kResizeNearest, params, in, out);
  };
  EXPECT_EQ(places(Params(false, false), 3, 6), (Floats{0, 0, 1, 1, 2, 2}));
  EXPECT_EQ(places(Params(false, true), 3, 6), (Floats{0, 0, 1, 1, 2, 2}));
  EXPECT_EQ(places(Params(true, false), 3, 5), (Floats{0, 1, 1, 2, 2}));  // halves are rounded up
  EXPECT_EQ(places(Params(true, true), 3, 5), (Floats{0, 1, 1, 2, 2}));
  EXPECT_EQ(places(Params(false, false), 8, 3), (Floats{0, 2, 5}));
  EXPECT_EQ(places(Params(false, true), 8, 3), (Floats{1, 4, 6}));
}

TEST(ResizeAxisTest, OneElement) {
  for (const OpType type : {OpType::kResizeBilinear, OpType::kResizeNearest}) {
    EXPECT_EQ(Places(type, Params(true, false), 1, 3), (Floats{0, 0, 0}));
    EXPECT_EQ(Places(type, Params(false, true), 1, 3), (Floats{0, 0, 0}));
    EXPECT_EQ(Places(type, Params(true, false), 5, 1), (Floats{0}));
  }
}

// Micro-kernels and streams rely on it.
TEST(ResizeAxisTest, SourcesRiseAndStayInside) {
  for (const OpType type : {OpType::kResizeBilinear, OpType::kResizeNearest}) {
    for (const auto& params : {Params(false, false), Params(true, false), Params(false, true), Params(true, true)}) {
      for (const int in : {1, 2, 3, 7, 64, 1000, 16777217}) {
        for (const int out : {1, 2, 3, 7, 64, 1001}) {
          const ResizeAxis axis(type, params, in, out);
          int before = 0;
          for (int i = 0; i < out; ++i) {
            const ResizeSource source = axis.At(i);
            ASSERT_GE(source.lower, before);
            ASSERT_LT(source.lower + (source.share > 0.0f ? 1 : 0), in);
            ASSERT_GE(source.share, 0.0f);
            ASSERT_LE(source.share, 1.0f);
            before = source.lower;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace mcpruner
