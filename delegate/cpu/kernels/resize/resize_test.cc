#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "delegate/cpu/testing/compare.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

constexpr OpType kTypes[] = {OpType::kResizeBilinear, OpType::kResizeNearest};

// Sizes leave tails in every vector width, and factors go up and down, so that inputs are shuffled and gathered.
TEST(ResizeTest, RandomResizesAgreeWithTheReference) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 rng(seed);
    const auto below = [&](int n) { return RandomBelow(rng, n); };
    ResizeParams params;
    params.height = 1 + below(20);
    params.width = 1 + below(90);
    params.align_corners = below(2) == 0;
    params.half_pixel_centers = below(2) == 0;
    GraphBuilder b;
    const int x = b.Input({1 + below(2), 1 + below(12), 1 + below(60), 1 + below(5)});
    ExpectAgreement(b.Finish({b.Op(kTypes[below(2)], {x}, params)}), seed, 1e-6f, "resize");
  }
}

TEST(ResizeTest, WholeFactors) {
  for (const OpType type : kTypes) {
    for (const int factor : {2, 3, 4, 8}) {
      for (const int width : {1, 2, 7, 8, 16, 33}) {
        SCOPED_TRACE("factor " + std::to_string(factor) + ", width " + std::to_string(width));
        for (const bool half : {false, true}) {
          GraphBuilder b;
          const ResizeParams params{3 * factor, width * factor, false, half};
          ExpectAgreement(b.Finish({b.Op(type, {b.Input({1, 3, width, 3})}, params)}), 1, 1e-6f, "resize");
        }
      }
    }
  }
}

TEST(ResizeTest, WritesTheBordersThatItsReaderNeeds) {
  std::mt19937 rng(1);
  const auto layer = RandomLayer(rng, LayerKind::kConv2D, {4, 5, 5, 4}, 4, 2, 1.0);
  Window window;
  window.padding = {2, 2, 2, 2};
  for (const OpType type : kTypes) {
    GraphBuilder b;
    const int resized = b.Op(type, {b.Input({1, 8, 20, 4})}, ResizeParams{16, 40, false, true});
    ExpectAgreement(b.Finish({b.Op(OpType::kConv, {resized}, ConvParams{window, layer})}), 2, 1e-4f, "conv");
  }
}

}  // namespace
}  // namespace mcpruner
