// This micro-kernel computes functions of one element.

#include <hwy/contrib/math/math-inl.h>

#include "delegate/cpu/kernels/simd.h"
#include "delegate/cpu/kernels/unary/unary_args.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {

namespace {

using V = hn::Vec<Floats>;

HWY_INLINE V HardSwish(V x) {
  const Floats d;
  const V gate = Clamp(d, hn::Add(x, hn::Set(d, 3.0f)), 0.0f, 6.0f);
  return hn::Div(hn::Mul(x, gate), hn::Set(d, 6.0f));
}

// With z = exp(-|x|), the value is 1 / (1 + z) for positive x and z / (1 + z) for negative x, so nothing overflows.
// Highway's Exp errs by one unit in the last place. It converts its argument to int, so it is given neither NaN, which
// is passed by it, nor what an int does not hold: below -105, exp is 0 in float.
HWY_INLINE V Logistic(V x) {
  const Floats d;
  const V one = hn::Set(d, 1.0f), number = hn::IfThenElseZero(hn::Eq(x, x), x);
  const V z = hn::Exp(d, hn::Max(hn::Neg(hn::Abs(number)), hn::Set(d, -105.0f)));
  const V y = hn::Div(hn::IfThenElse(hn::Lt(number, hn::Zero(d)), z, one), hn::Add(one, z));
  return hn::IfThenElse(hn::Eq(x, x), y, x);
}

template <class Function>
HWY_INLINE void Row(const UnaryRowArgs& args, const Function& function) {
  const Floats d;
  for (int32_t c = 0; c < args.channels; ++c) {
    const float* const in = args.in + c * args.in_pitch;
    float* const out = args.out + c * args.out_pitch;
    for (int32_t x = 0; x < args.width; x += static_cast<int32_t>(kFloats)) {
      StoreFirst(function(hn::LoadU(d, in + x)), d, out + x, static_cast<size_t>(args.width - x));
    }
    StoreZeros(out - args.end.zeros_before, args.end.zeros_before);
    StoreZeros(out + args.width, args.end.zeros_behind);
  }
}

}  // namespace

void UnaryRow(const UnaryRowArgs& args) {
  switch (args.function) {
    case kUnaryClamp:
      return Row(args, [&](V x) HWY_ATTR { return Clamp(Floats(), x, args.end.low, args.end.high); });
    case kUnaryHardSwish:
      return Row(args, [](V x) HWY_ATTR { return HardSwish(x); });
    case kUnaryLogistic:
      return Row(args, [](V x) HWY_ATTR { return Logistic(x); });
  }
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();
