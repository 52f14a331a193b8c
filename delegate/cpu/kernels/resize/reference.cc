#include "delegate/cpu/kernels/resize/reference.h"

#include "delegate/graph/resize_axis.h"

namespace mcpruner {
namespace {

// Calls element(0), and element(1) if it has a share.
template <typename Element>
double Blend(const ResizeSource& source, const Element& element) {
  const double lower = element(0);
  return source.share == 0.0f ? lower : lower + (element(1) - lower) * static_cast<double>(source.share);
}

}  // namespace

void ResizeReference(OpType type, const ResizeParams& params, const Shape& in, const float* x, const Shape& out,
                     float* y) {
  const ResizeAxis rows(type, params, in.h, out.h), columns(type, params, in.w, out.w);
  for (int n = 0; n < out.n; ++n) {
    for (int h = 0; h < out.h; ++h) {
      const ResizeSource row = rows.At(h);
      for (int w = 0; w < out.w; ++w) {
        const ResizeSource column = columns.At(w);
        for (int c = 0; c < out.c; ++c) {
          const auto in_column = [&](int dx) {
            return Blend(row, [&](int dy) { return x[in.index(n, row.lower + dy, column.lower + dx, c)]; });
          };
          *y++ = static_cast<float>(Blend(column, in_column));
        }
      }
    }
  }
}

}  // namespace mcpruner
