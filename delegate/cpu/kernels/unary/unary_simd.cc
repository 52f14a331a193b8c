// Clamps and hard swish, element by element.

#include "delegate/cpu/kernels/simd.h"
#include "delegate/cpu/kernels/unary/unary_args.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {

void UnaryRow(const UnaryRowArgs& args) {
  const Floats d;
  for (int32_t c = 0; c < args.channels; ++c) {
    const float* const in = args.in + c * args.in_pitch;
    float* const out = args.out + c * args.out_pitch;
    for (int32_t x = 0; x < args.width; x += static_cast<int32_t>(kFloats)) {
      hn::Vec<Floats> y = hn::LoadU(d, in + x);
      if (args.hard_swish) {
        const auto gate = Clamp(d, hn::Add(y, hn::Set(d, 3.0f)), 0.0f, 6.0f);
        y = hn::Div(hn::Mul(y, gate), hn::Set(d, 6.0f));
      } else {
        y = Clamp(d, y, args.end.low, args.end.high);
      }
      StoreFirst(y, d, out + x, static_cast<size_t>(args.width - x));
    }
    StoreZeros(out - args.end.zeros_before, args.end.zeros_before);
    StoreZeros(out + args.width, args.end.zeros_behind);
  }
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();
