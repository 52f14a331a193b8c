// RowTransform computes sums of rows. Each factor is loaded once for up to four vectors of pixels. The input rows of a
// channel, which every output row reads, stay in L1.

#include "delegate/cpu/kernels/simd.h"
#include "delegate/cpu/kernels/winograd/winograd_args.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {
namespace {

// Computes kVectors vectors of pixels, from column x on, of one row of channel c. All but the last are whole.
template <size_t kVectors>
HWY_INLINE void SumRows(const RowTransformArgs& a, int32_t row, int32_t c, int32_t x) {
  const Floats d;
  const float* const in = a.in + c * a.in_pitch + x;
  hn::Vec<Floats> sums[kVectors];
  MCPRUNER_UNROLL
  for (size_t v = 0; v < kVectors; ++v) sums[v] = hn::Set(d, a.bias == nullptr ? 0.0f : a.bias[c]);
  const RowTransformTerm* const last = a.terms + a.term_begin[row + 1];
  for (const RowTransformTerm* term = a.terms + a.term_begin[row]; term != last; ++term) {
    const float* const from = Displaced(in, term->in);
    const auto factor = hn::Set(d, term->factor);
    MCPRUNER_UNROLL
    for (size_t v = 0; v < kVectors; ++v) sums[v] = hn::MulAdd(factor, hn::LoadU(d, from + v * kFloats), sums[v]);
  }
  if (a.end.clamp) {
    MCPRUNER_UNROLL
    for (size_t v = 0; v < kVectors; ++v) sums[v] = Clamp(d, sums[v], a.end.low, a.end.high);
  }
  float* const to = a.out + row * a.out_row_stride + c * a.out_pitch + x;
  constexpr size_t kLast = kVectors - 1;
  MCPRUNER_UNROLL
  for (size_t v = 0; v < kLast; ++v) hn::StoreU(sums[v], d, to + v * kFloats);
  StoreFirst(sums[kLast], d, to + kLast * kFloats, static_cast<size_t>(a.width - x) - kLast * kFloats);
}

}  // namespace

void RowTransform(const RowTransformArgs& a) {
  constexpr auto kStep = static_cast<int32_t>(kFloats);
  for (int32_t c = 0; c < a.channels; ++c) {
    for (int32_t x = 0; x < a.width; x += 4 * kStep) {
      for (int32_t row = 0; row < a.out_rows; ++row) {
        if (x + 3 * kStep < a.width) {
          SumRows<4>(a, row, c, x);
        } else if (x + 2 * kStep < a.width) {
          SumRows<3>(a, row, c, x);
        } else if (x + kStep < a.width) {
          SumRows<2>(a, row, c, x);
        } else {
          SumRows<1>(a, row, c, x);
        }
      }
    }
    for (int32_t row = 0; row < a.out_rows; ++row) {
      StoreZeros(a.out + row * a.out_row_stride + c * a.out_pitch + a.width, a.end.zeros_behind);
    }
  }
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();
