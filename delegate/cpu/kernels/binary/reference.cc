#include "delegate/cpu/kernels/binary/reference.h"

namespace mcpruner {
namespace {

// Returns the element of a tensor of shape `s` that belongs to (n, h, w, c) of the output.
float Broadcast(const Shape& s, const float* x, int n, int h, int w, int c) {
  return x[s.index(s.n == 1 ? 0 : n, s.h == 1 ? 0 : h, s.w == 1 ? 0 : w, s.c == 1 ? 0 : c)];
}

float Apply(BinaryFunction function, float a, float b) {
  switch (function) {
    case BinaryFunction::kAdd:
      return a + b;
    case BinaryFunction::kMul:
      return a * b;
    case BinaryFunction::kSub:
      return a - b;
    case BinaryFunction::kDiv:
      return a / b;
    case BinaryFunction::kMaximum:
      return a > b ? a : b;
    case BinaryFunction::kMinimum:
      return a < b ? a : b;
    case BinaryFunction::kSquaredDifference:
      return (a - b) * (a - b);
    case BinaryFunction::kPrelu:
      return a < 0 ? a * b : a;
  }
  return a;
}

}  // namespace

void BinaryReference(BinaryFunction function, const Shape& a_shape, const float* a, const Shape& b_shape,
                     const float* b, const Shape& out, float* y) {
  for (int n = 0; n < out.n; ++n) {
    for (int h = 0; h < out.h; ++h) {
      for (int w = 0; w < out.w; ++w) {
        for (int c = 0; c < out.c; ++c) {
          *y++ = Apply(function, Broadcast(a_shape, a, n, h, w, c), Broadcast(b_shape, b, n, h, w, c));
        }
      }
    }
  }
}

}  // namespace mcpruner
