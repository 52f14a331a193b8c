#include "delegate/cpu/kernels/unary/reference.h"

#include <algorithm>
#include <cmath>

namespace mcpruner {
namespace {

float Apply(UnaryFunction function, float x) {
  switch (function) {
    case UnaryFunction::kRelu:
      return std::max(x, 0.0f);
    case UnaryFunction::kReluN1To1:
      return std::clamp(x, -1.0f, 1.0f);
    case UnaryFunction::kRelu6:
      return std::clamp(x, 0.0f, 6.0f);
    case UnaryFunction::kHardSwish:
      return static_cast<float>(x * std::clamp(double{x} + 3.0, 0.0, 6.0) / 6.0);
    case UnaryFunction::kLogistic:
      return static_cast<float>(1.0 / (1.0 + std::exp(-double{x})));
  }
  return x;
}

}  // namespace

void UnaryReference(UnaryFunction function, int64_t size, const float* x, float* y) {
  for (int64_t i = 0; i < size; ++i) y[i] = Apply(function, x[i]);
}

void ActivationReference(Activation activation, int64_t size, float* y) {
  switch (activation) {
    case Activation::kNone:
      return;
    case Activation::kRelu:
      return UnaryReference(UnaryFunction::kRelu, size, y, y);
    case Activation::kReluN1To1:
      return UnaryReference(UnaryFunction::kReluN1To1, size, y, y);
    case Activation::kRelu6:
      return UnaryReference(UnaryFunction::kRelu6, size, y, y);
  }
}

}  // namespace mcpruner
