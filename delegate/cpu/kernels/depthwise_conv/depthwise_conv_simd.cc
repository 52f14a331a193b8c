// Depthwise convolution: each channel is a small convolution of its own, so the vector lies along the width and there
// is nothing to share between channels. Four vectors at once hide the latency of the sums.

#include "delegate/cpu/kernels/depthwise_conv/depthwise_conv_args.h"
#include "delegate/cpu/kernels/simd.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {
namespace {

using V = hn::Vec<Floats>;

// Every kStride-th pixel.
template <int kStride>
HWY_INLINE V LoadPixels(const float* in) {
  const Floats d;
  if constexpr (kStride == 1) {
    return hn::LoadU(d, in);
  } else {
#if HWY_TARGET == HWY_SCALAR
    return hn::LoadU(d, in);  // one lane
#else
    V even, odd;
    hn::LoadInterleaved2(d, in, even, odd);
    return even;
#endif
  }
}

template <int kStride, size_t kVectors>
HWY_INLINE void Pixels(const DepthwiseRowArgs& a, const float* in, int32_t channel, int32_t x, float* out) {
  const Floats d;
  const int32_t channels = a.in_channels * a.multiplier;
  V sums[kVectors];
  Unroll<kVectors>([&](auto v) HWY_ATTR { sums[v.value] = hn::Set(d, a.bias[channel]); });
  const float* weight = a.weights + channel;
  for (int32_t t = 0; t < a.num_taps; ++t, weight += channels) {
    const V w = hn::Set(d, *weight);
    const float* const from = in + a.offsets[t] + ptrdiff_t{x} * kStride;
    Unroll<kVectors>([&](auto v) HWY_ATTR {
      sums[v.value] = hn::MulAdd(w, LoadPixels<kStride>(from + v.value * kFloats * kStride), sums[v.value]);
    });
  }
  Unroll<kVectors>([&](auto v) HWY_ATTR {
    const int32_t at = x + static_cast<int32_t>(v.value * kFloats);
    const V y = a.end.clamp ? Clamp(d, sums[v.value], a.end.low, a.end.high) : sums[v.value];
    if (at < a.width) StoreFirst(y, d, out + at, static_cast<size_t>(a.width - at));
  });
}

template <int kStride>
HWY_INLINE void Channel(const DepthwiseRowArgs& a, int32_t channel) {
  const float* const in = a.in + channel / a.multiplier * a.in_pitch;
  float* const out = a.out + channel * a.out_pitch;
  constexpr int32_t kWide = 4 * static_cast<int32_t>(kFloats), kOne = static_cast<int32_t>(kFloats);
  int32_t x = 0;
  // A last part of more than two vectors is worth four.
  for (; x + kWide / 2 < a.width; x += kWide) Pixels<kStride, 4>(a, in, channel, x, out);
  for (; x < a.width; x += kOne) Pixels<kStride, 1>(a, in, channel, x, out);
  StoreZeros(out - a.end.zeros_before, a.end.zeros_before);
  StoreZeros(out + a.width, a.end.zeros_behind);
}

}  // namespace

void DepthwiseRow(const DepthwiseRowArgs& args) {
  for (int32_t channel = 0; channel < args.in_channels * args.multiplier; ++channel) {
    args.stride_w == 1 ? Channel<1>(args, channel) : Channel<2>(args, channel);
  }
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();
