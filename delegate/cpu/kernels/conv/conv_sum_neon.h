// This is conv_sum.h for NEON: weights are taken by element from a register, so that a tap of 4 filters needs one load
// for them and no broadcast. Nothing is prefetched, since no ARM core was at hand to measure it on.
//
//     Cortex-A73, out of order: bound by multiply-adds if little else is issued. Per 8 taps of 4 filters x 6 vectors
//         192 fmla, 48 ldr q, 4 ldp (weights), 4 ldpsw (displacements), 4 for the loop      1.31 instructions a fmla
//     Cortex-A53, in order: a value that is not there yet stops the core, so each vector of the next tap is loaded as
//         soon as the one in its register is used up. It is loaded in halves, since a load of 64 bits can start
//         beside a multiply-add, and one of 128 bits can not. Per tap
//         24 fmla, 6 x (ldr d, ldr x, ins), ldr q, ldrsw, 2 for the loop                    1.92 instructions a fmla
//
// There are 24 sums, 2 registers of weights and 1 to 6 of pixels: 32 registers at most, and none on the stack
// (tests/aarch64/test_inner_loops.py).

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_SUM_NEON_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_SUM_NEON_H_

#include <arm_neon.h>

#include "delegate/cpu/kernels/conv/conv_args.h"
#include "delegate/cpu/kernels/simd.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {
namespace {

constexpr bool kPrefetch = false;
HWY_INLINE void PrefetchMemory(const ConvTileArgs&, const ConvPart&) {}

// Halves holds one vector of pixels as two halves, each loaded by itself. Join waits for both.
template <class V>
struct Halves {
  explicit HWY_INLINE Halves(const float* low, const float* high, ptrdiff_t bytes)
      : first(vcombine_f32(vld1_f32(Displaced(low, bytes)), vdup_n_f32(0.0f))) {
    __builtin_memcpy(&second, Displaced(high, bytes), sizeof(second));
    asm("" : "+r"(second));  // a load into a vector's upper half takes an address without displacement, and is slow
  }
  HWY_INLINE V Join() const {
    return V(vreinterpretq_f32_u64(vsetq_lane_u64(second, vreinterpretq_u64_f32(first), 1)));
  }
  float32x4_t first;
  uint64_t second;
};

// Loads one vector of pixels. A vector of two rows has the pixels of a row and those of the next one, `second_row`
// floats further.
template <bool kTwoRows, class D>
HWY_INLINE hn::Vec<D> LoadPixels(const float* x, ptrdiff_t second_row) {
  if constexpr (kTwoRows) return Halves<hn::Vec<D>>(x, x + second_row, 0).Join();
  return hn::LoadU(D(), x);
}

// Vectors holds where the vectors of a tile begin, and where their second halves begin if these are loaded by
// themselves. Each address has a register of its own: one computed from another would take one more instruction for
// each load.
template <int kVectors, bool kTwoRows, class D>
struct Vectors {
  static constexpr bool kByHalves = kTwoRows || MCPRUNER_IN_ORDER;

  explicit HWY_INLINE Vectors(const ConvTileArgs& a) {
    MCPRUNER_UNROLL for (int v = 0; v < kVectors; ++v) {
      low[v] = a.in + a.vectors[v].in;
      if (!kByHalves) continue;
      high[v] = low[v] + (kTwoRows ? a.in_second_row : 2);
      asm("" : "+r"(high[v]));
    }
  }
  HWY_INLINE hn::Vec<D> Load(int v, ptrdiff_t tap) const {
    if constexpr (kByHalves) return LoadHalves(v, tap).Join();
    return hn::LoadU(D(), Displaced(low[v], tap));
  }
  HWY_INLINE Halves<hn::Vec<D>> LoadHalves(int v, ptrdiff_t tap) const {
    return Halves<hn::Vec<D>>(low[v], high[v], tap);
  }

  const float *low[kVectors], *high[kVectors];
};

// Loads the weights of one tap, for 1, 2 or 4 filters.
template <int kFilters>
HWY_INLINE float32x4_t LoadWeights(const float* from) {
  if constexpr (kFilters == 4) return vld1q_f32(from);
  if constexpr (kFilters == 2) return vcombine_f32(vld1_f32(from), vdup_n_f32(0.0f));
  return vsetq_lane_f32(*from, vdupq_n_f32(0.0f), 0);
}

// Computes sums[f][v] += weights[f] * in for each filter f.
template <int kFilters, int kVectors, class V>
HWY_INLINE void AddToVector(float32x4_t weights, int v, V in, V (&sums)[kFilters][kVectors]) {
  Unroll<kFilters>([&](auto filter) HWY_ATTR {
    constexpr int f = static_cast<int>(decltype(filter)::value);
    sums[f][v] = V(vfmaq_laneq_f32(sums[f][v].raw, in.raw, weights, f));
  });
}

#if MCPRUNER_IN_ORDER

template <int kFilters, int kVectors, bool kTwoRows, class D>
HWY_INLINE void AddTaps(const Vectors<kVectors, kTwoRows, D>& vectors, const ConvPart& part,
                        hn::Vec<D> (&sums)[kFilters][kVectors]) {
  if (part.num_taps == 0) return;
  const float* HWY_RESTRICT values = part.values;
  const int32_t *tap = part.taps, *const last = tap + part.num_taps - 1;
  hn::Vec<D> in[kVectors];
  MCPRUNER_UNROLL for (int v = 0; v < kVectors; ++v) in[v] = vectors.Load(v, *tap);
  for (; tap != last; ++tap, values += kFilters) {
    const float32x4_t weights = LoadWeights<kFilters>(values);
    const ptrdiff_t next = tap[1];
    AddToVector(weights, 0, in[0], sums);
    Halves<hn::Vec<D>> halves = vectors.LoadHalves(0, next);
    MCPRUNER_UNROLL for (int v = 1; v < kVectors; ++v) {
      AddToVector(weights, v, in[v], sums);
      in[v - 1] = halves.Join();  // what was loaded a vector ago is there
      halves = vectors.LoadHalves(v, next);
    }
    in[kVectors - 1] = halves.Join();
  }
  const float32x4_t weights = LoadWeights<kFilters>(values);
  MCPRUNER_UNROLL for (int v = 0; v < kVectors; ++v) AddToVector(weights, v, in[v], sums);
}

#else

constexpr int kTapsAtOnce = 8;

// Adds two taps at once: one load reads both displacements, and one both weights.
template <int kFilters, int kVectors, bool kTwoRows, class D>
HWY_INLINE void AddTwoTaps(const Vectors<kVectors, kTwoRows, D>& vectors, const int32_t* taps,
                           const float* HWY_RESTRICT values, hn::Vec<D> (&sums)[kFilters][kVectors]) {
  ptrdiff_t first = taps[0], second = taps[1];
  asm("" : "+r"(first), "+r"(second));  // in whole registers, which is what one load of two gives
  const float32x4_t first_weights = LoadWeights<kFilters>(values);
  const float32x4_t second_weights = LoadWeights<kFilters>(values + kFilters);
  MCPRUNER_UNROLL for (int v = 0; v < kVectors; ++v) AddToVector(first_weights, v, vectors.Load(v, first), sums);
  MCPRUNER_UNROLL for (int v = 0; v < kVectors; ++v) AddToVector(second_weights, v, vectors.Load(v, second), sums);
}

template <int kFilters, int kVectors, bool kTwoRows, class D>
HWY_INLINE void AddTaps(const Vectors<kVectors, kTwoRows, D>& vectors, const ConvPart& part,
                        hn::Vec<D> (&sums)[kFilters][kVectors]) {
  const float* HWY_RESTRICT values = part.values;
  const int32_t *tap = part.taps, *const last = tap + part.num_taps;
  const int32_t* const last_round = tap + part.num_taps / kTapsAtOnce * kTapsAtOnce;
  for (; tap != last_round; tap += kTapsAtOnce, values += kTapsAtOnce * kFilters) {
    MCPRUNER_UNROLL for (int t = 0; t < kTapsAtOnce; t += 2) {
      AddTwoTaps(vectors, tap + t, values + t * kFilters, sums);
    }
  }
  for (; tap != last; ++tap, values += kFilters) {
    const float32x4_t weights = LoadWeights<kFilters>(values);
    MCPRUNER_UNROLL for (int v = 0; v < kVectors; ++v) AddToVector(weights, v, vectors.Load(v, *tap), sums);
  }
}

#endif

}  // namespace
}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_SUM_NEON_H_
