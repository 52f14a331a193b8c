// These micro-kernels interleave the rows of phases and take rows apart; blocks_args.h says how.

#include "delegate/cpu/kernels/blocks/blocks_args.h"
#include "delegate/cpu/kernels/simd.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {
namespace {

constexpr int32_t kMostPhases = 4;  // that Highway interleaves
constexpr int32_t kLanes = static_cast<int32_t>(kFloats);

using V = hn::Vec<Floats>;

template <int32_t kPhases>
HWY_INLINE void StoreInterleaved(const V* v, float* to) {
  const Floats d;
  if constexpr (kPhases == 1) hn::StoreU(v[0], d, to);
  if constexpr (kPhases == 2) hn::StoreInterleaved2(v[0], v[1], d, to);
  if constexpr (kPhases == 3) hn::StoreInterleaved3(v[0], v[1], v[2], d, to);
  if constexpr (kPhases == 4) hn::StoreInterleaved4(v[0], v[1], v[2], v[3], d, to);
}

template <int32_t kPhases>
HWY_INLINE void LoadInterleaved(const float* from, V* v) {
  const Floats d;
  if constexpr (kPhases == 1) v[0] = hn::LoadU(d, from);
  if constexpr (kPhases == 2) hn::LoadInterleaved2(d, from, v[0], v[1]);
  if constexpr (kPhases == 3) hn::LoadInterleaved3(d, from, v[0], v[1], v[2]);
  if constexpr (kPhases == 4) hn::LoadInterleaved4(d, from, v[0], v[1], v[2], v[3]);
}

// Loads read over the ends of rows, by less than a vector.
template <int32_t kPhases>
HWY_INLINE void Interleave(const BlocksRowArgs& a, const float* HWY_RESTRICT in, float* HWY_RESTRICT out) {
  const Floats d;
  for (int32_t x = 0; x < a.out_width; x += kPhases * kLanes) {
    V v[kPhases];
    MCPRUNER_UNROLL for (int32_t p = 0; p < kPhases; ++p) {
      v[p] = hn::LoadU(d, in + p * a.phase_step + x / kPhases);
      if (a.end.clamp) v[p] = Clamp(d, v[p], a.end.low, a.end.high);
    }
    const int32_t left = a.out_width - x;
    if (left >= kPhases * kLanes) {
      StoreInterleaved<kPhases>(v, out + x);
      continue;
    }
    HWY_ALIGN float last[kPhases * kFloats];
    StoreInterleaved<kPhases>(v, last);
    for (int32_t i = 0; i < left; i += kLanes) {
      StoreFirst(hn::Load(d, last + i), d, out + x + i, static_cast<size_t>(left - i));
    }
  }
}

void InterleaveMany(const BlocksRowArgs& a, const float* HWY_RESTRICT in, float* HWY_RESTRICT out) {
  const hn::CappedTag<float, 1> d;
  for (int32_t p = 0; p < a.phases; ++p) {
    for (int32_t x = p; x < a.out_width; x += a.phases) {
      auto v = hn::LoadU(d, in + p * a.phase_step + x / a.phases);
      if (a.end.clamp) v = Clamp(d, v, a.end.low, a.end.high);
      hn::StoreU(v, d, out + x);
    }
  }
}

template <int32_t kPhases>
HWY_INLINE void TakeApart(const BlocksRowArgs& a, const float* HWY_RESTRICT in, float* HWY_RESTRICT out) {
  const Floats d;
  for (int32_t x = 0; x < a.out_width; x += kLanes) {
    V v[kPhases];
    LoadInterleaved<kPhases>(in + ptrdiff_t{x} * kPhases, v);
    MCPRUNER_UNROLL for (int32_t p = 0; p < kPhases; ++p) {
      StoreFirst(v[p], d, out + p * a.phase_step + x, static_cast<size_t>(a.out_width - x));
    }
  }
}

void TakeManyApart(const BlocksRowArgs& a, const float* HWY_RESTRICT in, float* HWY_RESTRICT out) {
  for (int32_t p = 0; p < a.phases; ++p) {
    for (int32_t x = 0; x < a.out_width; ++x) out[p * a.phase_step + x] = in[ptrdiff_t{x} * a.phases + p];
  }
}

}  // namespace

void DepthToSpaceRow(const BlocksRowArgs& args) {
  const BlocksRowArgs a = args;  // a copy, which no store can change
  for (int32_t c = 0; c < a.channels; ++c) {
    const float* const in = a.in + c * a.in_pitch;
    float* const out = a.out + c * a.out_pitch;
    if (a.phases > kMostPhases) InterleaveMany(a, in, out);
    if (a.phases == 4) Interleave<4>(a, in, out);
    if (a.phases == 3) Interleave<3>(a, in, out);
    if (a.phases == 2) Interleave<2>(a, in, out);
    if (a.phases == 1) Interleave<1>(a, in, out);
    StoreZeros(out + a.out_width, a.end.zeros_behind);
  }
}

void SpaceToDepthRow(const BlocksRowArgs& args) {
  const BlocksRowArgs a = args;
  for (int32_t c = 0; c < a.channels; ++c) {
    const float* const in = a.in + c * a.in_pitch;
    float* const out = a.out + c * a.out_pitch;
    if (a.phases > kMostPhases) TakeManyApart(a, in, out);
    if (a.phases == 4) TakeApart<4>(a, in, out);
    if (a.phases == 3) TakeApart<3>(a, in, out);
    if (a.phases == 2) TakeApart<2>(a, in, out);
    if (a.phases == 1) TakeApart<1>(a, in, out);
    for (int32_t p = 0; p < a.phases; ++p) StoreZeros(out + p * a.phase_step + a.out_width, a.end.zeros_behind);
  }
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();
