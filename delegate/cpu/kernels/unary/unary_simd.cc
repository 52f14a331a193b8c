// This micro-kernel applies a function of one element to a row.

#include "delegate/cpu/kernels/simd.h"
#include "delegate/cpu/kernels/unary/unary_args.h"
#include "delegate/cpu/kernels/unary/unary_functions.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {

namespace {

template <class Function>
HWY_INLINE void Row(const UnaryRowArgs& args, const Function& function) {
  const Floats d;
  for (int32_t c = 0; c < args.channels; ++c) {
    const float* const in = args.in + c * args.in_pitch;
    float* const out = args.out + c * args.out_pitch;
    for (int32_t x = 0; x < args.width; x += static_cast<int32_t>(kFloats)) {
      const auto left = static_cast<size_t>(args.width - x);
      FloatVector v = hn::LoadU(d, in + x);
      // Functions choose by a whole vector how they compute. What lies behind the row has no say in its last bits.
      if (left < kFloats) v = hn::IfThenElseZero(hn::FirstN(d, left), v);
      StoreFirst(function(v), d, out + x, left);
    }
    StoreZeros(out - args.end.zeros_before, args.end.zeros_before);
    StoreZeros(out + args.width, args.end.zeros_behind);
  }
}

}  // namespace

void UnaryRow(const UnaryRowArgs& args) {
  using V = FloatVector;
  const Floats d;
  switch (args.function) {
    case UnaryFunction::kRelu:
    case UnaryFunction::kReluN1To1:
    case UnaryFunction::kRelu6:
      return Row(args, [&](V x) HWY_ATTR { return Clamp(d, x, args.end.low, args.end.high); });
    case UnaryFunction::kLeakyRelu:
      return Row(args, [&](V x) HWY_ATTR { return LeakyRelu(x, args.alpha); });
    case UnaryFunction::kElu:
      return Row(args, [](V x) HWY_ATTR { return Elu(x); });
    case UnaryFunction::kHardSwish:
      return Row(args, [](V x) HWY_ATTR { return HardSwish(x); });
    case UnaryFunction::kLogistic:
      return Row(args, [](V x) HWY_ATTR { return Logistic(x); });
    case UnaryFunction::kTanh:
      return Row(args, [](V x) HWY_ATTR { return Tanh(x); });
    case UnaryFunction::kGelu:
      return Row(args, [](V x) HWY_ATTR { return Gelu(x); });
    case UnaryFunction::kGeluTanh:
      return Row(args, [](V x) HWY_ATTR { return GeluTanh(x); });
    case UnaryFunction::kSilu:
      return Row(args, [](V x) HWY_ATTR { return Silu(x); });
    case UnaryFunction::kMish:
      return Row(args, [](V x) HWY_ATTR { return Mish(x); });
    case UnaryFunction::kExp:
      return Row(args, [](V x) HWY_ATTR { return Exp(x); });
    case UnaryFunction::kLog:
      return Row(args, [](V x) HWY_ATTR { return Log(x); });
    case UnaryFunction::kSqrt:
      return Row(args, [](V x) HWY_ATTR { return hn::Sqrt(x); });
    case UnaryFunction::kRsqrt:
      return Row(args, [&](V x) HWY_ATTR { return hn::Div(hn::Set(d, 1.0f), hn::Sqrt(x)); });
    case UnaryFunction::kSquare:
      return Row(args, [](V x) HWY_ATTR { return hn::Mul(x, x); });
    case UnaryFunction::kAbs:
      return Row(args, [](V x) HWY_ATTR { return hn::Abs(x); });
    case UnaryFunction::kNeg:
      return Row(args, [](V x) HWY_ATTR { return hn::Neg(x); });
  }
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();
