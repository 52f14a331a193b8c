// The convolution micro-kernel: sums of kFilters filters over kRows x kVectors vectors of pixels stay in registers
// while all kernels of the filters pass by.
//
//     for each kernel (input channel):              p = in + channel * channel_stride
//       for each tap of its pattern:                x[r][v] = p[tap + r * row_stride + v * lanes]   loaded once
//         for each filter:                          sum[f][r][v] += weight * x[r][v]                weight broadcast
//
// A vector that crosses a cache line costs two loads, so each is loaded into a register and used by all filters.

#include "delegate/cpu/kernels/conv/conv_args.h"
#include "delegate/cpu/kernels/simd.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {
namespace {

// AVX2 and the scalar fallback have 16 registers.
constexpr size_t kMaxTileVectors = HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_AVX2 ? 3 : kConvMaxTileVectors;

template <size_t kFilters, size_t kRows, size_t kVectors, class D>
struct Tile {
  using V = hn::Vec<D>;
  static constexpr size_t kLanes = hn::MaxLanes(D());
  static constexpr size_t kCount = kRows * kVectors;

  // One tap of one kernel.
  static HWY_INLINE void Tap(const float* HWY_RESTRICT x, ptrdiff_t row_stride, const float* HWY_RESTRICT weights,
                             V (&sums)[kFilters][kCount]) {
    const D d;
    V in[kCount];
    Unroll<kCount>([&](auto i) HWY_ATTR {
      constexpr size_t k = decltype(i)::value;
      in[k] = hn::LoadU(d, x + static_cast<ptrdiff_t>(k / kVectors) * row_stride + k % kVectors * kLanes);
    });
    Unroll<kFilters>([&](auto f) HWY_ATTR {
      const V weight = hn::Set(d, weights[decltype(f)::value]);
      Unroll<kCount>([&](auto i) HWY_ATTR {
        constexpr size_t k = decltype(i)::value;
        sums[decltype(f)::value][k] = hn::MulAdd(weight, in[k], sums[decltype(f)::value][k]);
      });
    });
  }

  static HWY_INLINE void Sum(const ConvTileArgs& a, const ConvPart& part, V (&sums)[kFilters][kCount]) {
    const uint16_t* HWY_RESTRICT channel = part.channels;
    const float* HWY_RESTRICT weights = part.values;
    const ptrdiff_t row_stride = a.in_row_stride, channel_stride = a.in_channel_stride;
    const ptrdiff_t value_stride = a.layer->value_stride;
    for (const ConvRun *run = part.runs, *end = run + part.num_runs; run != end; ++run) {
      const ptrdiff_t* HWY_RESTRICT taps = a.layer->taps + run->first_tap;
      const int32_t num_taps = run->num_taps;
      for (const uint16_t* const last = channel + run->num_kernels; channel != last; ++channel) {
        const float* HWY_RESTRICT x = a.in + ptrdiff_t{*channel} * channel_stride;
        for (int32_t t = 0; t < num_taps; ++t, weights += value_stride) Tap(x + taps[t], row_stride, weights, sums);
      }
    }
  }

  // Vector k of the tile in the row of one filter: residual, activation, store.
  static HWY_INLINE void StoreVector(const ConvTileArgs& a, V sum, size_t k, ptrdiff_t channel) {
    const D d;
    const ptrdiff_t row = static_cast<ptrdiff_t>(k / kVectors), x = static_cast<ptrdiff_t>(k % kVectors * kLanes);
    if (a.columns <= x) return;
    if (a.residual != nullptr) {
      const float* from = a.residual + row * a.residual_row_stride + channel * a.residual_channel_stride;
      sum = hn::Add(sum, hn::LoadU(d, from + x));
    }
    if (a.clamp) sum = Clamp(d, sum, a.low, a.high);
    float* const to = a.out + row * a.out_row_stride + channel * a.out_channel_stride;
    StoreFirst(sum, d, to + x, static_cast<size_t>(a.columns - x));
  }

  static void Run(const ConvTileArgs& a) {
    const D d;
    for (int32_t p = a.first_part; p < a.last_part; ++p) {
      const ConvPart& part = a.layer->parts[p];
      V sums[kFilters][kCount];
      Unroll<kFilters>([&](auto f) HWY_ATTR {
        Unroll<kCount>([&](auto i)
                           HWY_ATTR { sums[decltype(f)::value][decltype(i)::value] = hn::Set(d, part.bias[f.value]); });
      });
      Sum(a, part, sums);
      Unroll<kFilters>([&](auto f) HWY_ATTR {
        if (static_cast<int32_t>(f.value) >= part.num_filters) return;
        const ptrdiff_t channel = part.out_channels[f.value];
        Unroll<kCount>([&](auto i) HWY_ATTR { StoreVector(a, sums[f.value][i.value], i.value, channel); });
        for (size_t r = 0; r < kRows; ++r) {
          float* const row = a.out + static_cast<ptrdiff_t>(r) * a.out_row_stride + channel * a.out_channel_stride;
          StoreZeros(row - a.zeros_before, a.zeros_before);
          StoreZeros(row + a.columns, a.zeros_behind);
        }
      });
    }
  }
};

// The tile function of the given rows and vectors, found at compile time one by one: (1, 1), (1, 2), ..., (2, 1), ...
template <size_t kFilters, class D, size_t kRows = 1, size_t kVectors = 1>
HWY_INLINE void RunTile(const ConvTileArgs& a) {
  if constexpr (kRows > kMaxTileVectors) {
    return;
  } else if constexpr (kRows * kVectors > kMaxTileVectors) {
    return RunTile<kFilters, D, kRows + 1, 1>(a);
  } else {
    if (a.rows == kRows && a.vectors == kVectors) return Tile<kFilters, kRows, kVectors, D>::Run(a);
    return RunTile<kFilters, D, kRows, kVectors + 1>(a);
  }
}

template <class D>
void RunFilters(const ConvTileArgs& a) {
  if (a.layer->filters == 4) return RunTile<4, D>(a);
  if (a.layer->filters == 2) return RunTile<2, D>(a);
  return RunTile<1, D>(a);
}

}  // namespace

void ConvTile(const ConvTileArgs& args) {
  if constexpr (kFloats > 8) {
    if (args.lanes == 8) return RunFilters<FewFloats<8>>(args);
  }
  if constexpr (kFloats > 4) {
    if (args.lanes == 4) return RunFilters<FewFloats<4>>(args);
  }
  return RunFilters<Floats>(args);
}

namespace {

// Columns first .. last - 1 of one plane, any of which may lie outside of the image.
void SplitSlowly(const SplitColumnsArgs& a, const float* row, int32_t plane, int32_t first, int32_t last, float* out) {
  for (int32_t i = first; i < last; ++i) {
    const int32_t column = a.first_column + plane + i * a.stride;
    out[i] = column >= 0 && column < a.width ? row[column] : 0.0f;
  }
}

// Both planes of stride 2 for the columns that lie inside, in whole vectors; returns the end of what is done.
int32_t SplitByTwo(const SplitColumnsArgs& a, const float* row, int32_t first, float* out) {
#if HWY_TARGET == HWY_SCALAR
  (void)a, (void)row, (void)out;
  return first;
#else
  const Floats d;
  const int32_t inside = (a.width - a.first_column) / 2;  // pairs of columns before the image's end
  const int32_t last = inside < a.plane_columns ? inside : a.plane_columns;
  int32_t i = first;
  for (; i + static_cast<int32_t>(kFloats) <= last; i += static_cast<int32_t>(kFloats)) {
    hn::Vec<Floats> even, odd;
    hn::LoadInterleaved2(d, row + a.first_column + 2 * i, even, odd);
    hn::StoreU(even, d, out + i);
    if (a.planes > 1) hn::StoreU(odd, d, out + a.plane_stride + i);
  }
  return i;
#endif
}

}  // namespace

void SplitColumns(const SplitColumnsArgs& a) {
  for (int32_t c = 0; c < a.channels; ++c) {
    float* const out = a.out + c * a.out_channel_stride;
    if (a.in == nullptr) {
      for (int32_t p = 0; p < a.planes; ++p) StoreZeros(out + p * a.plane_stride, a.plane_columns);
      continue;
    }
    const float* const row = a.in + c * a.in_channel_stride;
    int32_t first = 0, last = 0;
    if (a.stride == 2) {
      first = a.first_column < 0 ? (1 - a.first_column) / 2 : 0;
      first = first < a.plane_columns ? first : a.plane_columns;
      last = SplitByTwo(a, row, first, out);
    }
    for (int32_t p = 0; p < a.planes; ++p) {
      SplitSlowly(a, row, p, 0, first, out + p * a.plane_stride);
      SplitSlowly(a, row, p, last, a.plane_columns, out + p * a.plane_stride);
    }
  }
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();
