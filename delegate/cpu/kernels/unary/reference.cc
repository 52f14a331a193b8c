#include "delegate/cpu/kernels/unary/reference.h"

#include <algorithm>
#include <cmath>

#include "delegate/graph/activation_range.h"

namespace mcpruner {
namespace {

double GeluTanh(double x) {
  const double v = std::sqrt(2.0 / std::acos(-1.0)) * (x + 0.044715 * x * x * x);
  return x / (1.0 + std::exp(-2.0 * v));
}

double Mish(double x) { return x > 40.0 ? x : x * std::tanh(std::log1p(std::exp(x))); }

double Value(const UnaryParams& params, double x) {
  switch (params.function) {
    case UnaryFunction::kRelu:
    case UnaryFunction::kReluN1To1:
    case UnaryFunction::kRelu6: {
      const ActivationRange range = RangeOf(ActivationOf(params.function));
      return std::clamp(x, double{range.low}, double{range.high});
    }
    case UnaryFunction::kLeakyRelu:
      return x < 0.0 ? params.alpha * x : x;
    case UnaryFunction::kElu:
      return x < 0.0 ? std::expm1(x) : x;
    case UnaryFunction::kHardSwish:
      return x * std::clamp(x + 3.0, 0.0, 6.0) / 6.0;
    case UnaryFunction::kLogistic:
      return 1.0 / (1.0 + std::exp(-x));
    case UnaryFunction::kTanh:
      return std::tanh(x);
    case UnaryFunction::kGelu:
      return x * 0.5 * std::erfc(-x * std::sqrt(0.5));
    case UnaryFunction::kGeluTanh:
      return GeluTanh(x);
    case UnaryFunction::kSilu:
      return x / (1.0 + std::exp(-x));
    case UnaryFunction::kMish:
      return Mish(x);
    case UnaryFunction::kExp:
      return std::exp(x);
    case UnaryFunction::kLog:
      return std::log(x);
    case UnaryFunction::kSqrt:
      return std::sqrt(x);
    case UnaryFunction::kRsqrt:
      return 1.0 / std::sqrt(x);
    case UnaryFunction::kSquare:
      return x * x;
    case UnaryFunction::kAbs:
      return std::fabs(x);
    case UnaryFunction::kNeg:
      return -x;
  }
  return x;
}

}  // namespace

void UnaryReference(const UnaryParams& params, int64_t size, const float* x, float* y) {
  std::transform(x, x + size, y, [&](float v) { return static_cast<float>(Value(params, double{v})); });
}

void ActivationReference(Activation activation, int64_t size, float* y) {
  const ActivationRange range = RangeOf(activation);
  if (!range.clamp) return;
  for (int64_t i = 0; i < size; ++i) y[i] = std::clamp(y[i], range.low, range.high);
}

void EpilogueReference(const Epilogue& epilogue, int channels, int64_t size, float* y) {
  if (epilogue.alphas == nullptr) return UnaryReference(epilogue.unary, size, y, y);
  for (int64_t i = 0; i < size; ++i) {
    UnaryReference({epilogue.unary.function, (*epilogue.alphas)[static_cast<size_t>(i % channels)]}, 1, y + i, y + i);
  }
}

}  // namespace mcpruner
