// The convolution's micro-kernel spends its time here: it adds the taps of one part to the sums of its filters. There
// is one loop and no other inside of it, since the CPU often mispredicts the end of a short inner loop.
//
//     for each tap (an input channel and a position of its pattern):
//       x[v] = in[tap + vector v]                       loaded once
//       for each filter: sum[f][v] += weight * x[v]     weight broadcast
//
// A vector that crosses a cache line costs two loads, so each is loaded into a register and used by all filters.
//
// conv_simd.cc alone includes this header, for every instruction set but NEON (conv_sum_neon.h).

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_SUM_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_SUM_H_

#include "delegate/cpu/kernels/conv/conv_args.h"
#include "delegate/cpu/kernels/simd.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {
namespace {

constexpr bool kPrefetch = true;

// Tiles of few vectors wait for L2 unless it is told in time what they will need. For larger tiles the core looks far
// enough ahead by itself, and with few filters a prefetch costs more than it gives. No measurement of the two bounds is
// on record.
constexpr bool ShouldPrefetch(int filters, int vectors) { return vectors <= 4 && filters * vectors >= 8; }

constexpr ptrdiff_t kLineBytes = 64;

// The weights of large layers come from L3 or beyond, in one stream. Asked for this far ahead, they arrive in time:
// this took each 512-channel layer of 7x7 pixels in ResNet-18 from 0.60 to 0.52 ms (docs/performance.md).
constexpr uintptr_t kWeightBytesAhead = 2048;
HWY_INLINE void PrefetchWeights(const float* weights) {
  // The address is computed as a number, since it may lie behind the array, where no pointer may point.
  __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<uintptr_t>(weights) + kWeightBytesAhead));
}

// Brings memory in while part `part` is summed: the input of a later tile, and the lines that the part will store to (a
// store that has to fetch its line first would hold up those behind it). It must be inline: GCC drops calls of a
// function that does nothing but prefetch.
HWY_INLINE void PrefetchMemory(const ConvTileArgs& a, const ConvPart& part) {
  const ptrdiff_t done = &part - a.layer->parts - a.first_part;
  const char* line = a.ahead + done * a.ahead_lines * kLineBytes;
  for (int32_t i = 0; i < a.ahead_lines; ++i, line += kLineBytes) __builtin_prefetch(line, 0, 2);
  for (int32_t f = 0; f < part.num_filters; ++f) {
    const float* const out = a.out + part.out_channels[f] * a.out_channel_stride;
    for (int32_t v = 0; v < a.num_vectors; ++v) __builtin_prefetch(Displaced(out, a.vectors[v].out), 1);
  }
}

// Loads one vector of pixels. A vector of two rows has the pixels of a row and those of the next one, `second_row`
// floats further.
template <bool kTwoRows, class D>
HWY_INLINE hn::Vec<D> LoadPixels(const float* x, [[maybe_unused]] ptrdiff_t second_row) {
  const D d;
#if HWY_TARGET != HWY_SCALAR
  if constexpr (kTwoRows) {
    const hn::Half<D> row;
    return hn::Combine(d, hn::LoadU(row, x + second_row), hn::LoadU(row, x));
  }
#endif
  return hn::LoadU(d, x);
}

// Vectors holds where the vectors of a tile begin.
template <int kVectors, bool kTwoRows, class D>
struct Vectors {
  explicit HWY_INLINE Vectors(const ConvTileArgs& a) : second_row(a.in_second_row), prefetch(a.prefetch != 0) {
    MCPRUNER_UNROLL for (int v = 0; v < kVectors; ++v) first[v] = a.in + a.vectors[v].in;
  }
  HWY_INLINE void Prefetch(ptrdiff_t tap) const {
    MCPRUNER_UNROLL for (int v = 0; v < kVectors; ++v) {
      __builtin_prefetch(Displaced(first[v], tap));
      if (kTwoRows) __builtin_prefetch(Displaced(first[v], tap) + second_row);
    }
  }

  const float* first[kVectors];
  ptrdiff_t second_row;
  bool prefetch;
};

template <int kFilters, int kVectors, bool kTwoRows, class D>
HWY_INLINE void AddTaps(const Vectors<kVectors, kTwoRows, D>& vectors, const ConvPart& part,
                        hn::Vec<D> (&sums)[kFilters][kVectors]) {
  const D d;
  const float* HWY_RESTRICT weights = part.values;
  const bool prefetch = ShouldPrefetch(kFilters, kVectors) && vectors.prefetch;
  for (const int32_t *tap = part.taps, *last = tap + part.num_taps; tap != last; ++tap, weights += kFilters) {
    if (prefetch) vectors.Prefetch(tap[kConvPrefetchedTaps]);
    PrefetchWeights(weights);
    hn::Vec<D> in[kVectors];
    MCPRUNER_UNROLL for (int v = 0; v < kVectors; ++v) {
      in[v] = LoadPixels<kTwoRows, D>(Displaced(vectors.first[v], *tap), vectors.second_row);
    }
    MCPRUNER_UNROLL for (int f = 0; f < kFilters; ++f) {
      const hn::Vec<D> weight = hn::Set(d, weights[f]);
      MCPRUNER_UNROLL for (int v = 0; v < kVectors; ++v) sums[f][v] = hn::MulAdd(weight, in[v], sums[f][v]);
    }
  }
}

}  // namespace
}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_SUM_H_
