// This micro-kernel resizes rows; resize_args.h says how.

#include "delegate/cpu/kernels/resize/resize_args.h"
#include "delegate/cpu/kernels/simd.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {
namespace {

using V = hn::Vec<Floats>;

// Blends whole vectors, up to the end of the last one.
HWY_INLINE void BlendDown(const ResizeRowArgs& a, const float* HWY_RESTRICT row, const float* HWY_RESTRICT below,
                          float* HWY_RESTRICT column) {
  const Floats d;
  const V share = hn::Set(d, a.below_share);
  for (int32_t x = 0; x < a.in_width; x += static_cast<int32_t>(kFloats)) {
    const V upper = hn::LoadU(d, row + x);
    hn::StoreU(hn::MulAdd(hn::Sub(hn::LoadU(d, below + x), upper), share, upper), d, column + x);
  }
}

// Returns the inputs of vector x / kFloats of the outputs, which begin in `row`.
template <bool kGather>
HWY_INLINE V Pick(const ResizeRowArgs& a, const float* row, int32_t x) {
  const Floats d;
  if constexpr (kGather) return hn::GatherIndex(d, row, hn::LoadU(hn::RebindToSigned<Floats>(), a.pick + x));
  const int32_t begin = a.begin[static_cast<size_t>(x) / kFloats];
  return hn::TableLookupLanes(hn::LoadU(d, row + begin), hn::SetTableIndices(d, a.pick + x));
}

template <bool kGather>
HWY_INLINE void Across(const ResizeRowArgs& a, const float* HWY_RESTRICT row, float* HWY_RESTRICT out) {
  const Floats d;
  for (int32_t x = 0; x < a.out_width; x += static_cast<int32_t>(kFloats)) {
    V v = Pick<kGather>(a, row, x);
    if (a.shares != nullptr) {
      // A neighbour without a share may be NaN, or lie behind the row.
      const V share = hn::LoadU(d, a.shares + x);
      const V blend = hn::MulAdd(hn::Sub(Pick<kGather>(a, row + 1, x), v), share, v);
      v = hn::IfThenElse(hn::Eq(share, hn::Zero(d)), v, blend);
    }
    StoreFirst(v, d, out + x, static_cast<size_t>(a.out_width - x));
  }
}

}  // namespace

void ResizeRow(const ResizeRowArgs& args) {
  const ResizeRowArgs a = args;  // a copy, which no store can change
  for (int32_t c = 0; c < a.channels; ++c) {
    const float* row = a.row + c * a.in_pitch;
    float* const out = a.out + c * a.out_pitch;
    if (a.below != nullptr) {
      BlendDown(a, row, a.below + c * a.in_pitch, a.column);
      row = a.column;
    }
    a.begin == nullptr ? Across<true>(a, row, out) : Across<false>(a, row, out);
    StoreZeros(out + a.out_width, a.end.zeros_behind);
  }
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();
