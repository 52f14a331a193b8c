#include "delegate/cpu/kernels/depthwise_conv/reference.h"

#include <gtest/gtest.h>

#include <memory>

#include "delegate/cpu/kernels/conv/reference.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

DepthwiseParams Params(int height, int width, int multiplier, std::vector<float> weights, std::vector<float> bias) {
  DepthwiseParams p;
  p.kernel_height = height;
  p.kernel_width = width;
  p.multiplier = multiplier;
  p.weights = std::make_shared<const std::vector<float>>(std::move(weights));
  p.bias = std::make_shared<const std::vector<float>>(std::move(bias));
  return p;
}

TEST(DepthwiseConvReferenceTest, EachChannelHasItsOwnFilter) {
  const auto p = Params(1, 2, 1, {1, 10, 2, 20}, {0, 5});
  const std::vector<float> x{1, 2, 3, 4, 5, 6};  // three columns of two channels
  std::vector<float> y(4);
  DepthwiseConvReference(p, {1, 1, 3, 2}, x.data(), {1, 1, 2, 2}, y.data());
  EXPECT_EQ(y, (std::vector<float>{7, 105, 13, 165}));
}

TEST(DepthwiseConvReferenceTest, AMultiplierGivesConsecutiveChannels) {
  const auto p = Params(1, 1, 2, {1, 2, 3, 4}, {0, 0, 0, 0});
  const std::vector<float> x{10, 100};
  std::vector<float> y(4);
  DepthwiseConvReference(p, {1, 1, 1, 2}, x.data(), {1, 1, 1, 4}, y.data());
  EXPECT_EQ(y, (std::vector<float>{10, 20, 300, 400}));
}

TEST(DepthwiseConvReferenceTest, ReadsZerosInThePadding) {
  auto p = Params(3, 3, 1, std::vector<float>(9, 1.0f), {0});
  p.window.padding = {1, 1, 1, 1};
  const std::vector<float> x{1, 2, 3, 4};
  std::vector<float> y(4);
  DepthwiseConvReference(p, {1, 2, 2, 1}, x.data(), {1, 2, 2, 1}, y.data());
  EXPECT_EQ(y, (std::vector<float>{10, 10, 10, 10}));
}

// A depthwise convolution is a convolution whose other weights are zero.
TEST(DepthwiseConvReferenceTest, AgreesWithAConvolutionOfDiagonalWeights) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 rng(seed);
    const auto below = [&](int n) { return RandomBelow(rng, n); };
    const int height = 1 + below(4);
    const int width = 1 + below(4);
    const int channels = 1 + below(6);
    const int multiplier = 1 + below(3);
    const int out_channels = channels * multiplier;
    const std::vector<float> weights = RandomFloats(rng, height * width * out_channels);
    const std::vector<float> bias = RandomFloats(rng, out_channels);
    auto p = Params(height, width, multiplier, weights, bias);
    p.window = {1 + below(3), 1 + below(3), 1 + below(2), 1 + below(2), {below(3), below(3), below(3), below(3)}};
    const DenseShape shape{out_channels, height, width, channels};
    std::vector<float> dense(static_cast<size_t>(height * width * out_channels * channels));
    const Shape ohwi{out_channels, height, width, channels};
    for (int o = 0; o < out_channels; ++o) {
      for (int k = 0; k < height * width; ++k) {
        dense[static_cast<size_t>(ohwi.index(o, k / width, k % width, o / multiplier))] =
            (*p.weights)[static_cast<size_t>(k * out_channels + o)];
      }
    }
    const auto layer = SparseLayerFromDense(LayerKind::kConv2D, shape, dense, *p.bias, 4);
    ASSERT_TRUE(layer.ok()) << layer.message();
    const Shape in{1 + below(2), 1 + below(8), 1 + below(8), channels};
    const Window& w = p.window;
    const Shape out{in.n, WindowOutput(in.h, height, w.stride_h, w.dilation_h, w.padding.top, w.padding.bottom),
                    WindowOutput(in.w, width, w.stride_w, w.dilation_w, w.padding.left, w.padding.right), out_channels};
    const std::vector<float> x = RandomFloats(rng, in.size());
    std::vector<float> y(static_cast<size_t>(out.size())), expected(y.size());
    DepthwiseConvReference(p, in, x.data(), out, y.data());
    ConvReference(*layer, w, in, x.data(), nullptr, out, expected.data());
    for (size_t i = 0; i < y.size(); ++i) ASSERT_NEAR(y[i], expected[i], 2e-6);
  }
}

}  // namespace
}  // namespace mcpruner
