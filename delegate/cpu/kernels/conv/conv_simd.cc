// This is the convolution's micro-kernel. The sums of up to 4 filters over a few vectors of pixels stay in registers
// while all taps of the filters pass by (conv_sum.h; for NEON conv_sum_neon.h). Then residual, activation and
// epilogue are applied, and the results are stored.

#include "delegate/cpu/kernels/conv/conv_args.h"
#include "delegate/cpu/kernels/simd.h"
#include "delegate/cpu/kernels/store_epilogue.h"
#if MCPRUNER_NEON
#include "delegate/cpu/kernels/conv/conv_sum_neon.h"
#else
#include "delegate/cpu/kernels/conv/conv_sum.h"
#endif

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {
namespace {

// AVX2 and the scalar fallback have 16 registers.
constexpr int kMaxVectors = HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_AVX2 ? 3 : kConvMaxTileVectors;

// Stores the zeros that no vector holds.
HWY_INLINE void StoreBorders(const ConvTileArgs& a, const ConvPart& part) {
  for (int32_t f = 0; f < part.num_filters; ++f) {
    float* const out = a.out + part.out_channels[f] * a.out_channel_stride;
    for (const ConvZeros *zeros = a.zeros, *end = zeros + a.num_zeros; zeros != end; ++zeros) {
      StoreZeros(out + zeros->first, zeros->count);
    }
  }
}

template <int kFilters, int kVectors, bool kTwoRows, class D>
struct Tile {
  using V = hn::Vec<D>;
  using Sums = V[kFilters][kVectors];

  // Output keeps in registers where each vector belongs in channel 0: stores would make the compiler read the arguments
  // again.
  struct Output {
    explicit HWY_INLINE Output(const ConvTileArgs& a) {
      MCPRUNER_UNROLL for (int v = 0; v < kVectors; ++v) first[v] = Displaced(a.out, a.vectors[v].out);
    }
    float* first[kVectors];
  };

  // Adds the residual of one filter's channel.
  static HWY_INLINE void AddResidual(const ConvTileArgs& a, const float* residual, V (&sums)[kVectors]) {
    MCPRUNER_UNROLL for (int v = 0; v < kVectors; ++v) {
      const float* const pixels = Displaced(residual, a.vectors[v].residual);
      sums[v] = hn::Add(sums[v], LoadPixels<kTwoRows, D>(pixels, a.residual_second_row));
    }
  }

  // Returns the pixels of a vector, and zeros in the place of what lies behind them.
  static HWY_INLINE V Filled(V v, const ConvVector& vector) {
    const D d;
#if HWY_TARGET != HWY_SCALAR
    if constexpr (kTwoRows) {
      const hn::Half<D> row;
      const auto first = hn::FirstN(row, static_cast<size_t>(vector.pixels[0]));
      const auto second = hn::FirstN(row, static_cast<size_t>(vector.pixels[1]));
      return hn::Combine(d, hn::IfThenElseZero(second, hn::UpperHalf(row, v)),
                         hn::IfThenElseZero(first, hn::LowerHalf(row, v)));
    }
#endif
    return hn::IfThenElseZero(hn::FirstN(d, static_cast<size_t>(vector.pixels[0])), v);
  }

  static HWY_INLINE void Store([[maybe_unused]] const ConvTileArgs& a, V sum, const ConvVector& vector, float* out) {
    const D d;
#if HWY_TARGET != HWY_SCALAR
    if constexpr (kTwoRows) {
      const hn::Half<D> row;
      StoreFirst(hn::LowerHalf(row, sum), row, out, static_cast<size_t>(vector.stored[0]));
      StoreFirst(hn::UpperHalf(row, sum), row, out + a.out_second_row, static_cast<size_t>(vector.stored[1]));
      return;
    }
#endif
    StoreFirst(sum, d, out, static_cast<size_t>(vector.stored[0]));
  }

  // Stores the results of one filter, whose channel begins `channel` bytes behind channel 0.
  static HWY_INLINE void StoreFilter(const ConvTileArgs& a, const Output& out, V (&sums)[kVectors], ptrdiff_t channel,
                                     bool all_whole) {
    if (!kTwoRows && all_whole) {
      MCPRUNER_UNROLL for (int v = 0; v < kVectors; ++v) hn::StoreU(sums[v], D(), Displaced(out.first[v], channel));
    } else {
      if (a.fills) MCPRUNER_UNROLL for (int v = 0; v < kVectors; ++v) sums[v] = Filled(sums[v], a.vectors[v]);
      MCPRUNER_UNROLL for (int v = 0; v < kVectors; ++v) {
        Store(a, sums[v], a.vectors[v], Displaced(out.first[v], channel));
      }
    }
  }

  static void Run(const ConvTileArgs& a) {
    const D d;
    const Vectors<kVectors, kTwoRows, D> vectors(a);
    const Output out(a);
    const ptrdiff_t channel_bytes = a.out_channel_stride * ptrdiff_t{sizeof(float)};
    const bool all_whole = a.all_whole != 0, has_residual = a.residual != nullptr, has_zeros = a.num_zeros > 0;
    const bool has_epilogue = a.epilogue.function != StoreFunction::kNone;
    const ConvPart* const last = a.layer->parts + a.last_part;
    for (const ConvPart* part = a.layer->parts + a.first_part; part != last; ++part) {
      if (kPrefetch) PrefetchMemory(a, *part);
      Sums sums;
      MCPRUNER_UNROLL for (int f = 0; f < kFilters; ++f) {
        MCPRUNER_UNROLL for (int v = 0; v < kVectors; ++v) sums[f][v] = hn::Set(d, part->bias[f]);
      }
      AddTaps<kFilters>(vectors, *part, sums);
      const V low = hn::Set(d, a.low), high = hn::Set(d, a.high);  // set only here, so that AddTaps has all registers
      MCPRUNER_UNROLL for (int f = 0; f < kFilters; ++f) {
        if (f >= part->num_filters) break;
        const ptrdiff_t channel = part->out_channels[f];
        if (has_residual) AddResidual(a, a.residual + channel * a.residual_channel_stride, sums[f]);
        MCPRUNER_UNROLL for (int v = 0; v < kVectors; ++v) sums[f][v] = AtMost(high, AtLeast(low, sums[f][v]));
        if (has_epilogue) ApplyEpilogue(d, a.epilogue, part->out_channels[f], sums[f]);
        StoreFilter(a, out, sums[f], channel * channel_bytes, all_whole);
      }
      if (has_zeros) StoreBorders(a, *part);
    }
  }
};

template <int kFilters, bool kTwoRows, class D, int kVectors = 1>
HWY_INLINE void RunVectors(const ConvTileArgs& a) {
  if constexpr (kVectors <= kMaxVectors) {
    if (a.num_vectors == kVectors) return Tile<kFilters, kVectors, kTwoRows, D>::Run(a);
    return RunVectors<kFilters, kTwoRows, D, kVectors + 1>(a);
  }
}

template <bool kTwoRows, class D>
void RunFilters(const ConvTileArgs& a) {
  if (a.layer->filters == 4) return RunVectors<4, kTwoRows, D>(a);
  if (a.layer->filters == 2) return RunVectors<2, kTwoRows, D>(a);
  return RunVectors<1, kTwoRows, D>(a);
}

template <class D>
HWY_INLINE void RunRows(const ConvTileArgs& a) {
  if constexpr (hn::MaxLanes(D()) >= 4) {
    if (a.two_rows) return RunFilters<true, D>(a);
  }
  return RunFilters<false, D>(a);
}

}  // namespace

void ConvTile(const ConvTileArgs& args) {
  if constexpr (kFloats > 8) {
    if (args.lanes == 8) return RunRows<FewFloats<8>>(args);
  }
  return RunRows<Floats>(args);
}

namespace {

// Copies every second column, from `in` on. It writes whole vectors, so up to kFloats - 1 elements too many.
void CopyEverySecond(const float* in, int32_t columns, float* out) {
#if HWY_TARGET == HWY_SCALAR
  for (int32_t i = 0; i < columns; ++i) out[i] = in[2 * i];
#else
  const Floats d;
  for (int32_t i = 0; i < columns; i += static_cast<int32_t>(kFloats)) {
    hn::Vec<Floats> even, odd;
    hn::LoadInterleaved2(d, in + 2 * i, even, odd);
    hn::StoreU(even, d, out + i);
  }
#endif
}

void CopyPlane(const SplitColumnsArgs& a, const float* row, int32_t first_column, float* out) {
  // Elements begin .. end - 1 lie inside of the image.
  int32_t begin = first_column < 0 ? (a.stride - 1 - first_column) / a.stride : 0;
  int32_t end = first_column < a.width ? (a.width - first_column + a.stride - 1) / a.stride : 0;
  begin = begin < a.plane_columns ? begin : a.plane_columns;
  end = end < a.plane_columns ? end : a.plane_columns;
  if (begin < end) {
    const float* const in = row + first_column + begin * a.stride;
    if (a.stride == 2) {
      CopyEverySecond(in, end - begin, out + begin);
    } else {
      for (int32_t i = begin; i < end; ++i) out[i] = in[(i - begin) * a.stride];
    }
  }
  StoreZeros(out, begin);
  if (end < begin) end = begin;
  StoreZeros(out + end, a.plane_columns - end);
}

}  // namespace

// Planes are written in the order in which they lie in memory, so what one writes too many the next one overwrites.
void SplitColumns(const SplitColumnsArgs& a) {
  for (int32_t c = 0; c < a.channels; ++c) {
    for (int32_t p = 0; p < a.planes; ++p) {
      float* const out = a.out + c * a.out_channel_stride + p * a.plane_stride;
      if (a.in == nullptr) {
        StoreZeros(out, a.plane_columns);
      } else {
        CopyPlane(a, a.in + c * a.in_channel_stride, a.first_column + p, out);
      }
    }
  }
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();
