#include "delegate/cpu/kernels/shuffle/reference.h"

namespace mcpruner {

void ShuffleReference(const ShuffleParams& params, const Shape& shape, const float* x, float* y) {
  const int each = shape.c / params.groups;
  for (int64_t pixel = 0; pixel < shape.size(); pixel += shape.c) {
    for (int i = 0; i < each; ++i) {
      for (int group = 0; group < params.groups; ++group) *y++ = x[pixel + group * each + i];
    }
  }
}

}  // namespace mcpruner
