// Sums of rows. Each factor is loaded once for up to four vectors of pixels; the input rows of a channel, which every
// output row reads, stay in L1.

#include "delegate/cpu/kernels/simd.h"
#include "delegate/cpu/kernels/winograd/winograd_args.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {
namespace {

// kVectors vectors of pixels, from column x on, of one row of channel c.
template <size_t kVectors>
HWY_INLINE void SumRows(const RowTransformArgs& a, int32_t row, int32_t c, int32_t x) {
  const Floats d;
  hn::Vec<Floats> sums[kVectors];
  MCPRUNER_UNROLL
  for (size_t v = 0; v < kVectors; ++v) sums[v] = hn::Set(d, a.bias == nullptr ? 0.0f : a.bias[c]);
  for (int32_t t = a.term_begin[row]; t < a.term_begin[row + 1]; ++t) {
    const RowTransformInput in = a.in[a.terms[t].in_row];
    const float* const from = in.first + c * in.pitch + x;
    const auto factor = hn::Set(d, a.terms[t].factor);
    MCPRUNER_UNROLL
    for (size_t v = 0; v < kVectors; ++v) sums[v] = hn::MulAdd(factor, hn::LoadU(d, from + v * kFloats), sums[v]);
  }
  float* const to = a.out + row * a.out_row_stride + c * a.out_pitch + x;
  MCPRUNER_UNROLL
  for (size_t v = 0; v < kVectors; ++v) {
    if (a.end.clamp) sums[v] = Clamp(d, sums[v], a.end.low, a.end.high);
    StoreFirst(sums[v], d, to + v * kFloats, static_cast<size_t>(a.width - x) - v * kFloats);
  }
}

}  // namespace

void RowTransform(const RowTransformArgs& a) {
  constexpr auto kStep = static_cast<int32_t>(kFloats);
  for (int32_t c = 0; c < a.channels; ++c) {
    for (int32_t row = 0; row < a.out_rows; ++row) {
      int32_t x = 0;
      for (; x + 3 * kStep < a.width; x += 4 * kStep) SumRows<4>(a, row, c, x);
      if (x + kStep < a.width) {
        SumRows<2>(a, row, c, x);
        x += 2 * kStep;
      }
      if (x < a.width) SumRows<1>(a, row, c, x);
      float* const first = a.out + row * a.out_row_stride + c * a.out_pitch;
      StoreZeros(first - a.end.zeros_before, a.end.zeros_before);
      StoreZeros(first + a.width, a.end.zeros_behind);
    }
  }
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();
