#include "delegate/cpu/kernels/conv/reference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

// Makes one pair of 2x2 filters over one channel: group_size is 2, and both filters share the pattern {(0, 0), (1, 1)}.
SparseLayer DiagonalLayer() {
  SparseLayer layer;
  layer.kernel_height = layer.kernel_width = 2;
  layer.in_channels = 1;
  layer.out_channels = 2;
  layer.group_size = 2;
  layer.patterns = {0b1001};
  layer.group_run_begin = {0, 1};
  layer.runs = {{0, 1}};
  layer.channels = {0};
  layer.values = {1.0f, 10.0f, 2.0f, 20.0f};  // (0, 0): f0 f1, (1, 1): f0 f1
  layer.permutation = {0, 1};
  layer.bias = {0.5f, -0.5f};
  return layer;
}

TEST(ConvReferenceTest, SumsTheWeightsOfThePattern) {
  const std::vector<float> x{1, 2, 3, 4, 5, 6, 7, 8, 9};  // 3x3
  std::vector<float> y(8);
  ConvReference(DiagonalLayer(), {}, {1, 3, 3, 1}, x.data(), nullptr, {1, 2, 2, 2}, y.data());
  // 1 * x[0][0] + 2 * x[1][1] + 0.5 is 11.5, and ten times the sum - 0.5 is 109.5.
  EXPECT_EQ(y, (std::vector<float>{11.5f, 109.5f, 14.5f, 139.5f, 20.5f, 199.5f, 23.5f, 229.5f}));
}

TEST(ConvReferenceTest, UndoesThePermutationAtTheStore) {
  SparseLayer layer = DiagonalLayer();
  layer.permutation = {1, 0};  // bias belongs to the original filter: the packed filter 0 is filter 1
  const std::vector<float> x{1, 2, 3, 4};
  std::vector<float> y(2);
  ConvReference(layer, {}, {1, 2, 2, 1}, x.data(), nullptr, {1, 1, 1, 2}, y.data());
  EXPECT_EQ(y, (std::vector<float>{90.5f, 8.5f}));
}

TEST(ConvReferenceTest, ReadsZerosInThePadding) {
  const std::vector<float> x{3};
  Window window;
  window.padding = {1, 1, 1, 1};
  std::vector<float> y(8);
  ConvReference(DiagonalLayer(), window, {1, 1, 1, 1}, x.data(), nullptr, {1, 2, 2, 2}, y.data());
  EXPECT_EQ(y, (std::vector<float>{6.5f, 59.5f, 0.5f, -0.5f, 0.5f, -0.5f, 3.5f, 29.5f}));
}

TEST(ConvReferenceTest, AddsTheResidual) {
  const std::vector<float> x{1, 2, 3, 4}, residual{100, 1000};
  std::vector<float> y(2);
  ConvReference(DiagonalLayer(), {}, {1, 2, 2, 1}, x.data(), residual.data(), {1, 1, 1, 2}, y.data());
  EXPECT_EQ(y, (std::vector<float>{109.5f, 1089.5f}));
}

TEST(ConvReferenceTest, AGroupWithoutRunsGivesTheBias) {
  SparseLayer layer = DiagonalLayer();
  layer.group_run_begin = {0, 0};
  layer.runs.clear();
  layer.channels.clear();
  layer.values.clear();
  const std::vector<float> x{1, 2, 3, 4};
  std::vector<float> y(2);
  ConvReference(layer, {}, {1, 2, 2, 1}, x.data(), nullptr, {1, 1, 1, 2}, y.data());
  EXPECT_EQ(y, layer.bias);
}

// These are the same sums from the other side: every input element times every dense weight is added where it arrives.
struct Expected {
  std::vector<double> sum, magnitude;  // bias + sum of w * x, and of |w * x|
};
Expected Scatter(const SparseLayer& layer, const Window& w, const Shape& in, const std::vector<float>& x,
                 const Shape& out) {
  const std::vector<float> weights = DenseWeights(layer);
  const Shape ohwi{layer.out_channels, layer.kernel_height, layer.kernel_width, layer.in_channels};
  Expected e{std::vector<double>(static_cast<size_t>(out.size())),
             std::vector<double>(static_cast<size_t>(out.size()))};
  for (size_t i = 0; i < e.sum.size(); ++i) e.sum[i] = layer.bias[i % layer.bias.size()];
  const auto arrive = [&](int n, int iy, int ix, int ky, int kx) {
    const int y = iy + w.padding.top - ky * w.dilation_h, z = ix + w.padding.left - kx * w.dilation_w;
    if (y < 0 || z < 0 || y % w.stride_h != 0 || z % w.stride_w != 0) return;
    const int oy = y / w.stride_h, ox = z / w.stride_w;
    if (oy >= out.h || ox >= out.w) return;
    for (int o = 0; o < out.c; ++o) {
      for (int c = 0; c < in.c; ++c) {
        const double product = double{weights[static_cast<size_t>(ohwi.index(o, ky, kx, c))]} *
                               x[static_cast<size_t>(in.index(n, iy, ix, c))];
        e.sum[static_cast<size_t>(out.index(n, oy, ox, o))] += product;
        e.magnitude[static_cast<size_t>(out.index(n, oy, ox, o))] += std::fabs(product);
      }
    }
  };
  for (int n = 0; n < in.n; ++n) {
    for (int iy = 0; iy < in.h; ++iy) {
      for (int ix = 0; ix < in.w; ++ix) {
        for (int ky = 0; ky < ohwi.h; ++ky) {
          for (int kx = 0; kx < ohwi.w; ++kx) arrive(n, iy, ix, ky, kx);
        }
      }
    }
  }
  return e;
}

TEST(ConvReferenceTest, AgreesWithDenseScatteringOnRandomLayers) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 rng(seed);
    const auto below = [&](int n) { return RandomBelow(rng, n); };
    const DenseShape shape{1 + below(20), 1 + below(4), 1 + below(4), 1 + below(9)};
    const int group_size = 1 << below(5);
    const double density = below(5) * 0.25;
    const auto layer = RandomLayer(rng, LayerKind::kConv2D, shape, group_size, 4, density);
    Window w{1 + below(3), 1 + below(3), 1 + below(2), 1 + below(2), {below(3), below(3), below(3), below(3)}};
    const Shape in{1 + below(3), 1 + below(9), 1 + below(9), shape.in_channels};
    const Padding2D& p = w.padding;
    const Shape out{in.n, WindowOutput(in.h, shape.kernel_height, w.stride_h, w.dilation_h, p.top, p.bottom),
                    WindowOutput(in.w, shape.kernel_width, w.stride_w, w.dilation_w, p.left, p.right),
                    shape.out_channels};
    const std::vector<float> x = RandomFloats(rng, in.size());
    std::vector<float> y(static_cast<size_t>(out.size()));
    ConvReference(*layer, w, in, x.data(), nullptr, out, y.data());
    const Expected e = Scatter(*layer, w, in, x, out);
    // The result, at most `magnitude` + 1, is rounded to float32 once.
    for (size_t i = 0; i < y.size(); ++i) ASSERT_NEAR(y[i], e.sum[i], 1e-7 * (e.magnitude[i] + 1));
  }
}

TEST(ConvReferenceTest, AnEmptyOutputIsLeftAlone) {
  ConvReference(DiagonalLayer(), {}, {0, 2, 2, 1}, nullptr, nullptr, {0, 1, 1, 2}, nullptr);
  ConvReference(DiagonalLayer(), {}, {2, 1, 1, 1}, nullptr, nullptr, {2, 0, 0, 2}, nullptr);
}

}  // namespace
}  // namespace mcpruner
