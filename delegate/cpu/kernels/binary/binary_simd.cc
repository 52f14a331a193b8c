// This micro-kernel computes functions of two tensors, element by element.

#include "delegate/cpu/kernels/binary/binary_args.h"
#include "delegate/cpu/kernels/simd.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {
namespace {

using V = hn::Vec<Floats>;

template <BinaryFunction kFunction>
HWY_INLINE V Apply(V a, V b) {
  switch (kFunction) {
    case BinaryFunction::kAdd:
      return hn::Add(a, b);
    case BinaryFunction::kMul:
      return hn::Mul(a, b);
    case BinaryFunction::kSub:
      return hn::Sub(a, b);
    case BinaryFunction::kDiv:
      return hn::Div(a, b);
    case BinaryFunction::kMaximum:
      return hn::IfThenElse(hn::Gt(a, b), a, b);
    case BinaryFunction::kMinimum:
      return hn::IfThenElse(hn::Lt(a, b), a, b);
    case BinaryFunction::kSquaredDifference:
      return hn::Mul(hn::Sub(a, b), hn::Sub(a, b));
    case BinaryFunction::kPrelu:
      return hn::IfThenElse(hn::Lt(a, hn::Zero(Floats())), hn::Mul(a, b), a);
  }
  return a;
}

template <BinaryFunction kFunction>
HWY_INLINE void Row(const BinaryRowArgs& args) {
  const Floats d;
  const auto load = [&](const float* from, int32_t step, int32_t x)
                        HWY_ATTR { return step == 0 ? hn::Set(d, *from) : hn::LoadU(d, from + x); };
  for (int32_t c = 0; c < args.channels; ++c) {
    const float* const a = args.a + c * args.a_pitch;
    const float* const b = args.b + c * args.b_pitch;
    float* const out = args.out + c * args.out_pitch;
    for (int32_t x = 0; x < args.width; x += static_cast<int32_t>(kFloats)) {
      V y = Apply<kFunction>(load(a, args.a_step, x), load(b, args.b_step, x));
      if (args.end.clamp) y = Clamp(d, y, args.end.low, args.end.high);
      StoreFirst(y, d, out + x, static_cast<size_t>(args.width - x));
    }
    StoreZeros(out - args.end.zeros_before, args.end.zeros_before);
    StoreZeros(out + args.width, args.end.zeros_behind);
  }
}

}  // namespace

void BinaryRow(const BinaryRowArgs& args) {
  switch (args.function) {
#define MCPRUNER_BINARY(name, ...) \
  case BinaryFunction::k##name:    \
    return Row<BinaryFunction::k##name>(args);
#include "delegate/graph/binary_functions.inc"
#undef MCPRUNER_BINARY
  }
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();
