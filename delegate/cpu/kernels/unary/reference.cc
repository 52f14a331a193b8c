#include "delegate/cpu/kernels/unary/reference.h"

#include <algorithm>
#include <cmath>

#include "delegate/graph/activation_range.h"

namespace mcpruner {
namespace {

float HardSwish(float x) { return static_cast<float>(x * std::clamp(double{x} + 3.0, 0.0, 6.0) / 6.0); }

float Logistic(float x) { return static_cast<float>(1.0 / (1.0 + std::exp(-double{x}))); }

// y may be x.
void Clamp(const ActivationRange& range, int64_t size, const float* x, float* y) {
  for (int64_t i = 0; i < size; ++i) y[i] = std::clamp(x[i], range.low, range.high);
}

}  // namespace

void UnaryReference(UnaryFunction function, int64_t size, const float* x, float* y) {
  switch (function) {
    case UnaryFunction::kRelu:
    case UnaryFunction::kReluN1To1:
    case UnaryFunction::kRelu6:
      return Clamp(RangeOf(ActivationOf(function)), size, x, y);
    case UnaryFunction::kHardSwish:
      std::transform(x, x + size, y, HardSwish);
      return;
    case UnaryFunction::kLogistic:
      std::transform(x, x + size, y, Logistic);
      return;
  }
}

void ActivationReference(Activation activation, int64_t size, float* y) {
  const ActivationRange range = RangeOf(activation);
  if (range.clamp) Clamp(range, size, y, y);
}

}  // namespace mcpruner
