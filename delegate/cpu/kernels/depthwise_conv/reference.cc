#include "delegate/cpu/kernels/depthwise_conv/reference.h"

namespace mcpruner {
namespace {

float DepthwiseElement(const DepthwiseParams& p, const Shape& in, const float* x, int n, int oy, int ox, int channel) {
  const Shape weight_shape{1, p.kernel_height, p.kernel_width, in.c * p.multiplier};
  double sum = (*p.bias)[static_cast<size_t>(channel)];
  for (int ky = 0; ky < p.kernel_height; ++ky) {
    const int iy = oy * p.window.stride_h + ky * p.window.dilation_h - p.window.padding.top;
    if (iy < 0 || iy >= in.h) continue;
    for (int kx = 0; kx < p.kernel_width; ++kx) {
      const int ix = ox * p.window.stride_w + kx * p.window.dilation_w - p.window.padding.left;
      if (ix < 0 || ix >= in.w) continue;
      const double weight = (*p.weights)[static_cast<size_t>(weight_shape.index(0, ky, kx, channel))];
      sum += weight * x[in.index(n, iy, ix, channel / p.multiplier)];
    }
  }
  return static_cast<float>(sum);
}

}  // namespace

void DepthwiseConvReference(const DepthwiseParams& params, const Shape& in, const float* x, const Shape& out,
                            float* y) {
  for (int n = 0; n < out.n; ++n) {
    for (int oy = 0; oy < out.h; ++oy) {
      for (int ox = 0; ox < out.w; ++ox) {
        for (int c = 0; c < out.c; ++c) *y++ = DepthwiseElement(params, in, x, n, oy, ox, c);
      }
    }
  }
}

}  // namespace mcpruner
