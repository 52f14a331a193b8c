// NHWC to HCW and back are transposes of [width][channels]. They are done in blocks that stay in L1; 3 channels
// (pictures) are done by whole vectors.

#include "delegate/cpu/kernels/pack/pack_args.h"
#include "delegate/cpu/kernels/simd.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {
namespace {

constexpr int32_t kBlock = 64;

// Sets to[j][i] = from[i][j] for kFours x 4 rows and columns; nothing does so without vectors.
template <int kFours>
[[maybe_unused]] HWY_INLINE void TransposeSquare(const float* HWY_RESTRICT from, ptrdiff_t from_stride,
                                                 float* HWY_RESTRICT to, ptrdiff_t to_stride);

#if HWY_TARGET != HWY_SCALAR
using Four = FewFloats<4>;

// Turns four rows of 4 into columns.
HWY_INLINE void Turn(const hn::Vec<Four> (&rows)[4], hn::Vec<Four> (&columns)[4]) {
  const Four d;
  const auto low_02 = hn::InterleaveLower(d, rows[0], rows[2]), high_02 = hn::InterleaveUpper(d, rows[0], rows[2]);
  const auto low_13 = hn::InterleaveLower(d, rows[1], rows[3]), high_13 = hn::InterleaveUpper(d, rows[1], rows[3]);
  columns[0] = hn::InterleaveLower(d, low_02, low_13);
  columns[1] = hn::InterleaveUpper(d, low_02, low_13);
  columns[2] = hn::InterleaveLower(d, high_02, high_13);
  columns[3] = hn::InterleaveUpper(d, high_02, high_13);
}

// Handles two fours side by side, since some CPUs load and store pairs.
template <int kFours>
HWY_INLINE void TransposeSquare(const float* HWY_RESTRICT from, ptrdiff_t from_stride, float* HWY_RESTRICT to,
                                ptrdiff_t to_stride) {
  const Four d;
  hn::Vec<Four> in[kFours][kFours][4];  // [four columns][four rows][row]
  MCPRUNER_UNROLL for (int i = 0; i < 4 * kFours; ++i) {
    MCPRUNER_UNROLL for (int c = 0; c < kFours; ++c) in[c][i / 4][i % 4] = hn::LoadU(d, from + i * from_stride + 4 * c);
  }
  MCPRUNER_UNROLL for (int c = 0; c < kFours; ++c) {
    hn::Vec<Four> out[kFours][4];
    MCPRUNER_UNROLL for (int r = 0; r < kFours; ++r) Turn(in[c][r], out[r]);
    MCPRUNER_UNROLL for (int j = 0; j < 4; ++j) {
      MCPRUNER_UNROLL for (int r = 0; r < kFours; ++r) hn::StoreU(out[r][j], d, to + (4 * c + j) * to_stride + 4 * r);
    }
  }
}
#endif

// Sets to[j * to_stride + i] = from[i * from_stride + j] for all i < rows, j < columns: by squares of kSide, then the
// rest by smaller squares.
template <int kSide>
void TransposeBySquares(const float* HWY_RESTRICT from, ptrdiff_t from_stride, int32_t rows, int32_t columns,
                        float* HWY_RESTRICT to, ptrdiff_t to_stride) {
  if constexpr (kSide < 4 || HWY_TARGET == HWY_SCALAR) {
    for (int32_t j = 0; j < columns; ++j) {
      for (int32_t i = 0; i < rows; ++i) to[j * to_stride + i] = from[i * from_stride + j];
    }
  } else {
    const int32_t full_rows = rows / kSide * kSide, full_columns = columns / kSide * kSide;
    for (int32_t j = 0; j < full_columns; j += kSide) {
      for (int32_t i = 0; i < full_rows; i += kSide) {
        TransposeSquare<kSide / 4>(from + i * from_stride + j, from_stride, to + j * to_stride + i, to_stride);
      }
    }
    if (full_rows < rows) {
      TransposeBySquares<kSide / 2>(from + full_rows * from_stride, from_stride, rows - full_rows, full_columns,
                                    to + full_rows, to_stride);
    }
    if (full_columns < columns) {
      TransposeBySquares<kSide / 2>(from + full_columns, from_stride, rows, columns - full_columns,
                                    to + full_columns * to_stride, to_stride);
    }
  }
}

// Takes few enough rows at a time for the lines of which their squares read one half to stay in L1 until the other half
// is read.
void Transpose(const float* HWY_RESTRICT from, ptrdiff_t from_stride, int32_t rows, int32_t columns,
               float* HWY_RESTRICT to, ptrdiff_t to_stride) {
  for (int32_t i = 0; i < rows; i += kBlock) {
    const int32_t count = i + kBlock < rows ? kBlock : rows - i;
    TransposeBySquares<8>(from + i * from_stride, from_stride, count, columns, to + i, to_stride);
  }
}

// Packs as many pixels of 3 channels as fill whole vectors, and returns how many.
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
    if (a.zeros_behind == 0) continue;
    for (int32_t c = 0; c < a.channels; ++c) {
      StoreZeros(to + c * a.pitch + a.width, a.zeros_behind);
    }
  }
}

void TransposePlanes(const TransposePlanesArgs& a) {
  for (int32_t plane = 0; plane < a.planes; ++plane) {
    Transpose(a.from + plane * a.from_plane, a.from_stride, a.rows, a.columns, a.to + plane * a.to_plane, a.to_stride);
  }
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();
