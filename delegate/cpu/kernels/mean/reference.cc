#include "delegate/cpu/kernels/mean/reference.h"

#include <limits>

namespace mcpruner {

void MeanReference(const Shape& in, const float* x, float* y) {
  const int64_t pixels = int64_t{in.h} * in.w;
  for (int n = 0; n < in.n; ++n) {
    for (int c = 0; c < in.c; ++c) {
      double sum = 0.0;
      for (int h = 0; h < in.h; ++h) {
        for (int w = 0; w < in.w; ++w) sum += x[in.index(n, h, w, c)];
      }
      *y++ =
          pixels == 0 ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(sum / static_cast<double>(pixels));
    }
  }
}

}  // namespace mcpruner
