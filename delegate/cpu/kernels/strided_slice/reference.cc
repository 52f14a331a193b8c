#include "delegate/cpu/kernels/strided_slice/reference.h"

namespace mcpruner {

void StridedSliceReference(const StridedSliceParams& params, const Shape& in, const float* x, float* y) {
  const auto& [begin, size, stride] = params;
  for (int n = 0; n < size[0]; ++n) {
    for (int h = 0; h < size[1]; ++h) {
      for (int w = 0; w < size[2]; ++w) {
        for (int c = 0; c < size[3]; ++c) {
          *y++ = x[in.index(begin[0] + n * stride[0], begin[1] + h * stride[1], begin[2] + w * stride[2],
                            begin[3] + c * stride[3])];
        }
      }
    }
  }
}

}  // namespace mcpruner
