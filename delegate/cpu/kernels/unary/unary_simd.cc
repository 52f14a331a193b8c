// This micro-kernel applies a function of one element to a row.

#include "delegate/cpu/kernels/long_row.h"
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
  const UnaryRowArgs a = args;  // a copy, which no store can change
  if (a.in_pitch == a.out_pitch && LongRow::Pays(a.channels, a.width, a.out_pitch)) {
    const LongRow row(a.channels, a.width, a.out_pitch, a.end);
    return row.Write(a.out,
                     [&](int32_t x, const LongRow::Place&) HWY_ATTR { return function(hn::LoadU(d, a.in + x)); });
  }
  for (int32_t c = 0; c < a.channels; ++c) {
    const float* const in = a.in + c * a.in_pitch;
    float* const out = a.out + c * a.out_pitch;
    for (int32_t x = 0; x < a.width; x += static_cast<int32_t>(kFloats)) {
      StoreFirst(function(hn::LoadU(d, in + x)), d, out + x, static_cast<size_t>(a.width - x));
    }
    StoreZeros(out - a.end.zeros_before, a.end.zeros_before);
    StoreZeros(out + a.width, a.end.zeros_behind);
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
