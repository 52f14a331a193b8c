// NHWC to HCW and back: transposes of [width][channels], done in blocks that stay in L1; 3 channels (pictures) by whole
// vectors.

#include "delegate/cpu/kernels/pack/pack_args.h"
#include "delegate/cpu/kernels/simd.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {
namespace {

constexpr int32_t kBlock = 16;

#if HWY_TARGET != HWY_SCALAR
// to[j][i] = from[i][j] for 4 rows and columns.
HWY_INLINE void TransposeFour(const float* HWY_RESTRICT from, ptrdiff_t from_stride, float* HWY_RESTRICT to,
                              ptrdiff_t to_stride) {
  const FewFloats<4> d;
  const auto a = hn::LoadU(d, from), b = hn::LoadU(d, from + from_stride);
  const auto c = hn::LoadU(d, from + 2 * from_stride), e = hn::LoadU(d, from + 3 * from_stride);
  const auto ac_low = hn::InterleaveLower(d, a, c), ac_high = hn::InterleaveUpper(d, a, c);
  const auto be_low = hn::InterleaveLower(d, b, e), be_high = hn::InterleaveUpper(d, b, e);
  hn::StoreU(hn::InterleaveLower(d, ac_low, be_low), d, to);
  hn::StoreU(hn::InterleaveUpper(d, ac_low, be_low), d, to + to_stride);
  hn::StoreU(hn::InterleaveLower(d, ac_high, be_high), d, to + 2 * to_stride);
  hn::StoreU(hn::InterleaveUpper(d, ac_high, be_high), d, to + 3 * to_stride);
}
#endif

// to[j * to_stride + i] = from[i * from_stride + j] for all i < rows, j < columns.
void Transpose(const float* HWY_RESTRICT from, ptrdiff_t from_stride, int32_t rows, int32_t columns,
               float* HWY_RESTRICT to, ptrdiff_t to_stride) {
  for (int32_t i0 = 0; i0 < rows; i0 += kBlock) {
    const int32_t i1 = i0 + kBlock < rows ? i0 + kBlock : rows;
    int32_t j = 0;
#if HWY_TARGET != HWY_SCALAR
    for (; j + 4 <= columns; j += 4) {
      int32_t i = i0;
      for (; i + 4 <= i1; i += 4) {
        TransposeFour(from + i * from_stride + j, from_stride, to + j * to_stride + i, to_stride);
      }
      for (; i < i1; ++i) {
        for (int32_t k = j; k < j + 4; ++k) to[k * to_stride + i] = from[i * from_stride + k];
      }
    }
#endif
    for (; j < columns; ++j) {
      for (int32_t i = i0; i < i1; ++i) to[j * to_stride + i] = from[i * from_stride + j];
    }
  }
}

// As many pixels of 3 channels as fill whole vectors; returns how many.
int32_t PackPictureRow([[maybe_unused]] const float* HWY_RESTRICT from, [[maybe_unused]] int32_t width,
                       [[maybe_unused]] float* HWY_RESTRICT to, [[maybe_unused]] ptrdiff_t pitch) {
  int32_t x = 0;
#if HWY_TARGET != HWY_SCALAR
  const Floats d;
  for (; x + static_cast<int32_t>(kFloats) <= width; x += static_cast<int32_t>(kFloats)) {
    hn::Vec<Floats> red, green, blue;
    hn::LoadInterleaved3(d, from + ptrdiff_t{3} * x, red, green, blue);
    hn::StoreU(red, d, to + x);
    hn::StoreU(green, d, to + pitch + x);
    hn::StoreU(blue, d, to + 2 * pitch + x);
  }
#endif
  return x;
}

}  // namespace

void PackRows(const PackRowsArgs& a) {
  for (int32_t row = 0; row < a.rows; ++row) {
    const float* const from = a.nhwc + ptrdiff_t{row} * a.width * a.channels;
    float* const to = a.hcw + row * a.row_stride;
    const int32_t done = a.channels == 3 ? PackPictureRow(from, a.width, to, a.pitch) : 0;
    Transpose(from + ptrdiff_t{done} * a.channels, a.channels, a.width - done, a.channels, to + done, a.pitch);
    for (int32_t c = 0; c < a.channels; ++c) {
      StoreZeros(to + c * a.pitch - a.zeros_before, a.zeros_before);
      StoreZeros(to + c * a.pitch + a.width, a.zeros_behind);
    }
  }
}

void UnpackRows(const UnpackRowsArgs& a) {
  for (int32_t row = 0; row < a.rows; ++row) {
    float* const to = a.nhwc + ptrdiff_t{row} * a.width * a.channels;
    Transpose(a.hcw + row * a.row_stride, a.pitch, a.channels, a.width, to, a.channels);
  }
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();
