#include "delegate/cpu/kernels/conv/reference.h"

#include <array>

namespace mcpruner {
namespace {

// Holds, for each kernel position, the input pixel (its first channel) that it meets at one output pixel; null outside.
using Taps = std::array<const float*, kMaxPositions>;

Taps TapsAt(const SparseLayer& layer, const Window& window, const Shape& in, const float* x, int n, int oy, int ox) {
  Taps taps{};
  for (int ky = 0; ky < layer.kernel_height; ++ky) {
    for (int kx = 0; kx < layer.kernel_width; ++kx) {
      const int iy = oy * window.stride_h + ky * window.dilation_h - window.padding.top;
      const int ix = ox * window.stride_w + kx * window.dilation_w - window.padding.left;
      const bool inside = iy >= 0 && iy < in.h && ix >= 0 && ix < in.w;
      taps[static_cast<size_t>(ky * layer.kernel_width + kx)] = inside ? x + in.index(n, iy, ix, 0) : nullptr;
    }
  }
  return taps;
}

// Computes all output channels of one pixel.
void ConvPixel(const SparseLayer& layer, const Taps& taps, const float* residual, float* y) {
  const uint16_t* channel = layer.channels.data();
  const float* value = layer.values.data();
  for (int g = 0; g < layer.num_groups(); ++g) {
    std::array<double, kMaxGroupSize> sums{};
    for (uint32_t r = layer.group_run_begin[static_cast<size_t>(g)];
         r < layer.group_run_begin[static_cast<size_t>(g) + 1]; ++r) {
      const SparseLayer::Run run = layer.runs[r];
      for (int k = 0; k < run.count; ++k, ++channel) {
        uint64_t pattern = layer.patterns[run.pattern];
        for (size_t position = 0; pattern != 0; ++position, pattern >>= 1) {
          if ((pattern & 1) == 0) continue;
          if (taps[position] != nullptr) {
            const double input = taps[position][*channel];
            for (int f = 0; f < layer.group_size; ++f) sums[static_cast<size_t>(f)] += value[f] * input;
          }
          value += layer.group_size;
        }
      }
    }
    for (int f = 0; f < layer.group_size; ++f) {
      const int packed = g * layer.group_size + f;
      if (packed >= layer.out_channels) break;  // what is left are lanes that fill the last group
      const size_t o = layer.permutation[static_cast<size_t>(packed)];
      const double added = residual == nullptr ? 0.0 : residual[o];
      y[o] = static_cast<float>(sums[static_cast<size_t>(f)] + layer.bias[o] + added);
    }
  }
}

}  // namespace

void ConvReference(const SparseLayer& layer, const Window& window, const Shape& in, const float* x,
                   const float* residual, const Shape& out, float* y) {
  for (int n = 0; n < out.n; ++n) {
    for (int oy = 0; oy < out.h; ++oy) {
      for (int ox = 0; ox < out.w; ++ox) {
        const int64_t pixel = out.index(n, oy, ox, 0);
        ConvPixel(layer, TapsAt(layer, window, in, x, n, oy, ox), residual == nullptr ? nullptr : residual + pixel,
                  y + pixel);
      }
    }
  }
}

}  // namespace mcpruner
