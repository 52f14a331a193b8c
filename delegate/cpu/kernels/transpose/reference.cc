#include "delegate/cpu/kernels/transpose/reference.h"

namespace mcpruner {

void TransposeReference(const TransposeParams& params, const Shape& in, const float* x, float* y) {
  const std::array<int, 4> dims{in.n, in.h, in.w, in.c};
  const auto size = [&](size_t i) { return dims[static_cast<size_t>(params.order[i])]; };
  std::array<int, 4> at{};  // in the input
  const auto place = [&](size_t i) -> int& { return at[static_cast<size_t>(params.order[i])]; };
  for (place(0) = 0; place(0) < size(0); ++place(0)) {
    for (place(1) = 0; place(1) < size(1); ++place(1)) {
      for (place(2) = 0; place(2) < size(2); ++place(2)) {
        for (place(3) = 0; place(3) < size(3); ++place(3)) *y++ = x[in.index(at[0], at[1], at[2], at[3])];
      }
    }
  }
}

}  // namespace mcpruner
