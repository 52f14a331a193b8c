// This micro-kernel computes functions of two tensors, element by element.

#include "delegate/cpu/kernels/binary/binary_args.h"
#include "delegate/cpu/kernels/long_row.h"
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

// How an operand of a LongRow is read. Others are read row by row.
enum class Operand { kPixels, kOfChannels, kOther };

HWY_INLINE Operand OperandOf(const BinaryRowArgs& args, int32_t step, ptrdiff_t pitch) {
  if (step == 1) return pitch == args.out_pitch ? Operand::kPixels : Operand::kOther;
  return pitch == 1 ? Operand::kOfChannels : Operand::kOther;
}

template <BinaryFunction kFunction>
HWY_INLINE V Clamped(const BinaryRowArgs& args, V a, V b) {
  const V y = Apply<kFunction>(a, b);
  return args.end.clamp ? Clamp(Floats(), y, args.end.low, args.end.high) : y;
}

// `a` has a pixel for each of the output's, `b` has one or the same for the whole channel.
template <BinaryFunction kFunction>
HWY_INLINE void Long(const BinaryRowArgs& args, Operand b) {
  const Floats d;
  const LongRow row(args.channels, args.width, args.out_pitch, args.end);
  if (b == Operand::kPixels) {
    row.Write(args.out, [&](int32_t x, const LongRow::Place&) HWY_ATTR {
      return Clamped<kFunction>(args, hn::LoadU(d, args.a + x), hn::LoadU(d, args.b + x));
    });
  } else {
    row.Write(args.out, [&](int32_t x, const LongRow::Place& place) HWY_ATTR {
      return Clamped<kFunction>(args, hn::LoadU(d, args.a + x), row.OfChannels(args.b, place));
    });
  }
}

template <BinaryFunction kFunction>
HWY_INLINE void Row(const BinaryRowArgs& args_of_caller) {
  const Floats d;
  const BinaryRowArgs args = args_of_caller;  // a copy, which no store can change
  const Operand first = OperandOf(args, args.a_step, args.a_pitch), second = OperandOf(args, args.b_step, args.b_pitch);
  if (first == Operand::kPixels && second != Operand::kOther &&
      LongRow::Pays(args.channels, args.width, args.out_pitch, args.a == args.out)) {
    return Long<kFunction>(args, second);
  }
  const auto load = [&](const float* from, int32_t step, int32_t x)
                        HWY_ATTR { return step == 0 ? hn::Set(d, *from) : hn::LoadU(d, from + x); };
  for (int32_t c = 0; c < args.channels; ++c) {
    const float* const a = args.a + c * args.a_pitch;
    const float* const b = args.b + c * args.b_pitch;
    float* const out = args.out + c * args.out_pitch;
    for (int32_t x = 0; x < args.width; x += static_cast<int32_t>(kFloats)) {
      const V y = Clamped<kFunction>(args, load(a, args.a_step, x), load(b, args.b_step, x));
      StoreFirst(y, d, out + x, static_cast<size_t>(args.width - x));
    }
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
