#include "delegate/cpu/kernels/mirror_pad/reference.h"

#include "delegate/graph/mirrored.h"

namespace mcpruner {

void MirrorPadReference(const MirrorPadParams& params, const Shape& in, const float* x, const Shape& out, float* y) {
  const auto& before = params.before;
  for (int n = 0; n < out.n; ++n) {
    const int in_n = Mirrored(n - before[0], in.n, params.with_edge);
    for (int h = 0; h < out.h; ++h) {
      const int in_h = Mirrored(h - before[1], in.h, params.with_edge);
      for (int w = 0; w < out.w; ++w) {
        const int in_w = Mirrored(w - before[2], in.w, params.with_edge);
        for (int c = 0; c < out.c; ++c) {
          *y++ = x[in.index(in_n, in_h, in_w, Mirrored(c - before[3], in.c, params.with_edge))];
        }
      }
    }
  }
}

}  // namespace mcpruner
