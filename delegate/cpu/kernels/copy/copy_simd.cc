// This micro-kernel copies a row of some channels, and writes the zeros beside it.

#include "delegate/cpu/kernels/copy/copy_args.h"
#include "delegate/cpu/kernels/long_row.h"
#include "delegate/cpu/kernels/simd.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {

void CopyRow(const CopyRowArgs& args) {
  const Floats d;
  const CopyRowArgs a = args;  // a copy, which no store can change
  if (a.in_pitch == a.out_pitch && a.others_between == 0 && LongRow::Pays(a.channels, a.width, a.out_pitch, false)) {
    StoreZeros(a.out - a.zeros_before, a.zeros_before);  // between channels, LongRow writes them
    const LongRow row(a.channels, a.width, a.out_pitch, a.end);
    return row.Write(a.out, [&](int32_t x, const LongRow::Place&) HWY_ATTR { return hn::LoadU(d, a.in + x); });
  }
  for (int32_t c = 0; c < a.channels; ++c) {
    const float* const in = a.in + c * a.in_pitch;
    float* const out = a.out + c * a.out_pitch;
    for (int32_t x = 0; x < a.width; x += static_cast<int32_t>(kFloats)) {
      StoreFirst(hn::LoadU(d, in + x), d, out + x, static_cast<size_t>(a.width - x));
    }
    StoreZeros(out - a.zeros_before, a.zeros_before);
    StoreZeros(out + a.width, a.end.zeros_behind);
  }
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();
