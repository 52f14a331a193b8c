// In a depthwise convolution each channel is a small convolution of its own, so the vector lies along the width and
// channels share nothing. What is shared are loads: up to 7 output rows are summed at once, and an input vector is used
// by all of them whose window it lies in. For a 3x3 kernel of stride 1:
//
//     input row 0    x[0] x[1] x[2]    row 0                     3 loads (one per column of the kernel) of each of 9
//     input row 1    x[0] x[1] x[2]    row 0  row 1              rows make 63 multiply-adds, with the 9 weights in
//     input row 2    x[0] x[1] x[2]    row 0  row 1  row 2       registers
//     ...
//
// Most loads cross a cache line and take the time of two, so there must be fewer of them than multiply-adds.
//
// Square kernels of 3 and 5 with equal strides and no dilation have code of their own; others run tap by tap.

#include "delegate/cpu/kernels/depthwise_conv/depthwise_conv_args.h"
#include "delegate/cpu/kernels/simd.h"
#include "delegate/cpu/kernels/store_epilogue.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {
namespace {

// 15 weights (of a kernel of 5x5, see Columns), a sum for each row and a column fit 32 registers, but not 16.
constexpr bool kFewRegisters = HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_AVX2;
constexpr int kMaxRows = kFewRegisters ? 4 : kDepthwiseRows;

// Loads every kStride-th pixel. For a stride of 2 these are the even pixels of two vectors.
template <int kStride, class D>
HWY_INLINE hn::Vec<D> LoadPixels(D d, const float* in) {
#if HWY_TARGET != HWY_SCALAR  // of one lane, the first pixel is all there is
  if constexpr (kStride == 2) return hn::ConcatEven(d, hn::LoadU(d, in + hn::MaxLanes(d)), hn::LoadU(d, in));
#endif
  return hn::LoadU(d, in);
}

// Without this, GCC makes a vector's load part of each multiply-add that uses it, so that it is loaded many times.
template <class V>
HWY_INLINE void KeepInRegister(V& v) {
#if HWY_ARCH_X86
  asm("" : "+v"(v.raw));
#elif HWY_ARCH_ARM_A64
  asm("" : "+w"(v.raw));
#endif
}

#if HWY_TARGET != HWY_SCALAR
// Returns v's lanes but the first, and then `last`.
template <class D>
HWY_INLINE hn::Vec<D> SlideIn(D d, hn::Vec<D> v, float last) {
  const hn::RebindToSigned<D> di;
  constexpr size_t kLanes = hn::MaxLanes(D());
  const auto next = hn::And(hn::Iota(di, 1), hn::Set(di, static_cast<int32_t>(kLanes - 1)));
  return hn::IfThenElse(hn::FirstN(d, kLanes - 1), hn::TableLookupLanes(v, hn::IndicesFromVec(d, next)),
                        hn::Set(d, last));
}
#endif

// Calls use(kx, column) for columns kFrom .. kTo - 1 of the kernel, where column[i] = in[i * kStride + kx]. With a
// stride of 2, kFrom is even and kTo is even or the kernel's size, which is odd.
template <int kFrom, int kTo, int kStride, class D, class Function>
HWY_INLINE void ForColumns(D d, const float* in, const Function& use) {
#if HWY_TARGET != HWY_SCALAR
  if constexpr (kStride == 2) {
    hn::Vec<D> even;
    MCPRUNER_UNROLL
    for (int kx = kFrom; kx + 1 < kTo; kx += 2) {
      const auto low = hn::LoadU(d, in + kx), high = hn::LoadU(d, in + kx + hn::MaxLanes(d));
      even = hn::ConcatEven(d, high, low);
      use(kx, even);
      use(kx + 1, hn::ConcatOdd(d, high, low));
    }
    if constexpr (kTo % 2 == 1) use(kTo - 1, SlideIn(d, even, in[kTo - 3 + 2 * hn::MaxLanes(d)]));
    return;
  }
#endif
  MCPRUNER_UNROLL
  for (int kx = kFrom; kx < kTo; ++kx) use(kx, hn::LoadU(d, in + kx));
}

// Applies activation and epilogue to sums of one channel.
template <class D, size_t kCount>
HWY_INLINE void Finish(const DepthwiseRowsArgs& a, D d, int32_t channel, hn::Vec<D> (&sums)[kCount]) {
  if (a.end.clamp) {
    MCPRUNER_UNROLL
    for (size_t i = 0; i < kCount; ++i) sums[i] = Clamp(d, sums[i], a.end.low, a.end.high);
  }
  if (a.epilogue.function != StoreFunction::kNone) ApplyEpilogue(d, a.epilogue, channel, sums);
}

template <class D>
HWY_INLINE void StorePixels(const DepthwiseRowsArgs& a, D d, hn::Vec<D> sum, int32_t x, float* out) {
  StoreFirst(sum, d, out + x, static_cast<size_t>(a.width - x));
}

// Rows computes kRows rows of one channel, where the kernel is kKernel x kKernel and strides are kStride.
template <int kKernel, int kStride, int kRows>
struct Rows {
  // Adds to the sums what columns kFrom .. kTo - 1 of the kernel make of the rows that begin at `in`.
  template <int kFrom, int kTo, class D>
  static HWY_INLINE void AddColumns(D d, const float* HWY_RESTRICT kernel, const float* HWY_RESTRICT in,
                                    ptrdiff_t row_stride, hn::Vec<D> (&sums)[kRows]) {
    using V = hn::Vec<D>;
    V weights[kKernel][kTo - kFrom];
    MCPRUNER_UNROLL
    for (int ky = 0; ky < kKernel; ++ky) {
      MCPRUNER_UNROLL
      for (int kx = kFrom; kx < kTo; ++kx) weights[ky][kx - kFrom] = hn::Set(d, kernel[ky * kKernel + kx]);
    }
    MCPRUNER_UNROLL
    for (int i = 0; i < (kRows - 1) * kStride + kKernel; ++i) {
      ForColumns<kFrom, kTo, kStride>(d, in + i * row_stride, [&](int kx, V column) MCPRUNER_INLINE_LAMBDA {
        KeepInRegister(column);
        MCPRUNER_UNROLL
        for (int r = 0; r < kRows; ++r) {
          const int ky = i - r * kStride;
          if (ky >= 0 && ky < kKernel) sums[r] = hn::MulAdd(weights[ky][kx - kFrom], column, sums[r]);
        }
      });
    }
  }

  // Computes pixels x .. end - 1.
  template <class D>
  static HWY_INLINE void Columns(const DepthwiseRowsArgs& a, D d, int32_t x, int32_t end, const float* HWY_RESTRICT in,
                                 int32_t channel, float* HWY_RESTRICT out) {
    const float* const kernel = a.weights + ptrdiff_t{channel} * kKernel * kKernel;
    for (; x < end; x += static_cast<int32_t>(hn::MaxLanes(d))) {
      hn::Vec<D> sums[kRows];
      MCPRUNER_UNROLL
      for (int r = 0; r < kRows; ++r) sums[r] = hn::Set(d, a.bias[channel]);
      const float* const from = in + ptrdiff_t{x} * kStride;
      // The weights of a kernel of 5x5 are too many for the registers.
      constexpr int kSplit = kKernel == 5 ? 2 : 0;
      if constexpr (kSplit > 0) AddColumns<0, kSplit>(d, kernel, from, a.in_row_stride, sums);
      AddColumns<kSplit, kKernel>(d, kernel, from, a.in_row_stride, sums);
      Finish(a, d, channel, sums);
      MCPRUNER_UNROLL
      for (int r = 0; r < kRows; ++r) StorePixels(a, d, sums[r], x, out + r * a.out_row_stride);
    }
  }

  static HWY_INLINE void Channel(const DepthwiseRowsArgs& a, const float* in, int32_t channel, float* out) {
    // The rest of a row takes half a vector where that suffices.
    const int32_t lanes = static_cast<int32_t>(kFloats);
    const bool half = kFloats > 8 && a.width % lanes != 0 && a.width % lanes <= 8;
    const int32_t whole = half ? a.width - a.width % lanes : a.width;
    if (whole > 0) Columns(a, Floats(), 0, whole, in, channel, out);
    if (half) Columns(a, FewFloats<8>(), whole, a.width, in, channel, out);
  }
};

// AnyKernel computes one row of one channel with any kernel, four vectors at once to hide the latency of the sums.
template <int kStride>
struct AnyKernel {
  template <size_t kVectors>
  static HWY_INLINE void Pixels(const DepthwiseRowsArgs& a, const float* in, int32_t channel, int32_t x, float* out) {
    const Floats d;
    hn::Vec<Floats> sums[kVectors];
    MCPRUNER_UNROLL
    for (size_t v = 0; v < kVectors; ++v) sums[v] = hn::Set(d, a.bias[channel]);
    const float* weight = a.weights + ptrdiff_t{channel} * a.kernel_height * a.kernel_width;
    for (int32_t ky = 0; ky < a.kernel_height; ++ky) {
      const float* from = in + ky * a.dilation_h * a.in_row_stride + ptrdiff_t{x} * kStride;
      for (int32_t kx = 0; kx < a.kernel_width; ++kx, ++weight, from += a.dilation_w) {
        const auto w = hn::Set(d, *weight);
        MCPRUNER_UNROLL
        for (size_t v = 0; v < kVectors; ++v) {
          sums[v] = hn::MulAdd(w, LoadPixels<kStride>(d, from + v * kFloats * kStride), sums[v]);
        }
      }
    }
    Finish(a, d, channel, sums);
    MCPRUNER_UNROLL
    for (size_t v = 0; v < kVectors; ++v) {
      const int32_t at = x + static_cast<int32_t>(v * kFloats);
      if (at < a.width) StorePixels(a, d, sums[v], at, out);
    }
  }

  static HWY_INLINE void Channel(const DepthwiseRowsArgs& a, const float* in, int32_t channel, float* out) {
    constexpr int32_t kWide = 4 * static_cast<int32_t>(kFloats), kOne = static_cast<int32_t>(kFloats);
    int32_t x = 0;
    // A last part of more than two vectors is done as four at once.
    for (; x + kWide / 2 < a.width; x += kWide) Pixels<4>(a, in, channel, x, out);
    for (; x < a.width; x += kOne) Pixels<1>(a, in, channel, x, out);
  }
};

// Calls Kernel::Channel for all channels of rows row .. row + rows - 1.
template <class Kernel>
void Channels(const DepthwiseRowsArgs& args, int32_t row, int32_t rows) {
  const DepthwiseRowsArgs a = args;  // a copy, which no store can change
  const float* in = a.in + row * a.stride_h * a.in_row_stride;
  float* out = a.out + row * a.out_row_stride;
  for (int32_t channel = 0; channel < a.in_channels * a.multiplier; in += a.in_pitch) {
    for (int32_t m = 0; m < a.multiplier; ++m, ++channel, out += a.out_pitch) {
      Kernel::Channel(a, in, channel, out);
      for (int32_t r = 0; r < rows; ++r) {
        StoreZeros(out + r * a.out_row_stride + a.width, a.end.zeros_behind);
      }
    }
  }
}

// `rows` is at most kRows.
template <int kKernel, int kStride, int kRows>
HWY_INLINE void Block(const DepthwiseRowsArgs& a, int32_t row, int32_t rows) {
  if constexpr (kRows > 0) {
    if (rows < kRows) return Block<kKernel, kStride, kRows - 1>(a, row, rows);
    Channels<Rows<kKernel, kStride, kRows>>(a, row, rows);
  }
}

template <int kKernel, int kStride>
void SquareKernel(const DepthwiseRowsArgs& a) {
  // The rows are divided into blocks of equal height.
  const int32_t blocks = (a.rows + kMaxRows - 1) / kMaxRows;
  for (int32_t i = 0, row = 0; i < blocks; ++i) {
    const auto end = static_cast<int32_t>(int64_t{a.rows} * (i + 1) / blocks);
    Block<kKernel, kStride, kMaxRows>(a, row, end - row);
    row = end;
  }
}

}  // namespace

void DepthwiseRows(const DepthwiseRowsArgs& a) {
  const bool square = a.kernel_height == a.kernel_width && a.stride_h == a.stride_w;
  const bool dilated = a.dilation_h > 1 || a.dilation_w > 1;
  if (square && !dilated && a.kernel_width == 3) return a.stride_w == 1 ? SquareKernel<3, 1>(a) : SquareKernel<3, 2>(a);
  if (square && !dilated && a.kernel_width == 5) return a.stride_w == 1 ? SquareKernel<5, 1>(a) : SquareKernel<5, 2>(a);
  for (int32_t row = 0; row < a.rows; ++row) {
    a.stride_w == 1 ? Channels<AnyKernel<1>>(a, row, 1) : Channels<AnyKernel<2>>(a, row, 1);
  }
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();
