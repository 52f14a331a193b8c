#include "delegate/cpu/kernels/pad/reference.h"

namespace mcpruner {
namespace {

bool Inside(int i, int size) { return i >= 0 && i < size; }

}  // namespace

void PadReference(const PadParams& params, const Shape& in, const float* x, const Shape& out, float* y) {
  const auto& before = params.before;
  for (int n = 0; n < out.n; ++n) {
    for (int h = 0; h < out.h; ++h) {
      for (int w = 0; w < out.w; ++w) {
        for (int c = 0; c < out.c; ++c) {
          const int in_n = n - before[0], in_h = h - before[1], in_w = w - before[2], in_c = c - before[3];
          const bool inside = Inside(in_n, in.n) && Inside(in_h, in.h) && Inside(in_w, in.w) && Inside(in_c, in.c);
          *y++ = inside ? x[in.index(in_n, in_h, in_w, in_c)] : params.value;
        }
      }
    }
  }
}

}  // namespace mcpruner
