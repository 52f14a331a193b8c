#include "delegate/cpu/kernels/pool/reference.h"

#include <algorithm>
#include <limits>

namespace mcpruner {
namespace {

// A Rect is the rows and columns of one window that lie inside the feature map: [top, bottom) x [left, right).
struct Rect {
  int top, bottom, left, right;
  int area() const { return (bottom - top) * (right - left); }
};

Rect WindowAt(const PoolParams& p, const Shape& in, int oy, int ox) {
  const int y = oy * p.window.stride_h - p.window.padding.top;
  const int x = ox * p.window.stride_w - p.window.padding.left;
  return {std::max(y, 0), std::min(y + p.filter_height, in.h), std::max(x, 0), std::min(x + p.filter_width, in.w)};
}

// Sets y = reduce(window, n, channel) for every output element.
template <typename Reduce>
void Pool(const PoolParams& params, const Shape& in, const Shape& out, float* y, const Reduce& reduce) {
  for (int n = 0; n < out.n; ++n) {
    for (int oy = 0; oy < out.h; ++oy) {
      for (int ox = 0; ox < out.w; ++ox) {
        const Rect window = WindowAt(params, in, oy, ox);
        for (int c = 0; c < out.c; ++c) *y++ = reduce(window, n, c);
      }
    }
  }
}

}  // namespace

void MaxPoolReference(const PoolParams& params, const Shape& in, const float* x, const Shape& out, float* y) {
  Pool(params, in, out, y, [&](const Rect& window, int n, int c) {
    float largest = -std::numeric_limits<float>::infinity();
    for (int iy = window.top; iy < window.bottom; ++iy) {
      for (int ix = window.left; ix < window.right; ++ix) largest = std::max(largest, x[in.index(n, iy, ix, c)]);
    }
    return largest;
  });
}

void AveragePoolReference(const PoolParams& params, const Shape& in, const float* x, const Shape& out, float* y) {
  Pool(params, in, out, y, [&](const Rect& window, int n, int c) {
    double sum = 0.0;
    for (int iy = window.top; iy < window.bottom; ++iy) {
      for (int ix = window.left; ix < window.right; ++ix) sum += x[in.index(n, iy, ix, c)];
    }
    return static_cast<float>(sum / window.area());
  });
}

}  // namespace mcpruner
