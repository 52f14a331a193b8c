// These micro-kernels normalize: mean and variance come first, then the elements are read again while the caches hold
// them. The variance is that of the differences from the mean: the mean of squares less the square of the mean would
// lose it where the mean is large.

#include "delegate/cpu/kernels/normalize/normalize_args.h"
#include "delegate/cpu/kernels/simd.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {
namespace {

using V = hn::Vec<Floats>;

// Returns the sum of f(0), ..., f(count - 1). They are added up in blocks, since one running sum of many terms would
// lose the last bits of late ones.
template <class Function>
HWY_INLINE V SumOf(int32_t count, const Function& f) {
  constexpr int32_t kBlock = 32;
  V sum = hn::Zero(Floats());
  for (int32_t begin = 0; begin < count; begin += kBlock) {
    const int32_t end = count - begin < kBlock ? count : begin + kBlock;
    V block = hn::Zero(Floats());
    for (int32_t i = begin; i < end; ++i) block = hn::Add(block, f(i));
    sum = hn::Add(sum, block);
  }
  return sum;
}

// Normalizes a vector of pixels over the channels from `in` on.
HWY_INLINE void PixelGroup(const NormalizeArgs& a, const float* in, const float* scale, const float* shift, float* out,
                           size_t count) {
  const Floats d;
  const V channels = hn::Set(d, static_cast<float>(a.group));
  const auto element = [&](int32_t c) HWY_ATTR { return hn::LoadU(d, in + c * a.in_pitch); };
  const V mean = hn::Div(SumOf(a.group, element), channels);
  const auto squared = [&](int32_t c) HWY_ATTR {
    const V difference = hn::Sub(element(c), mean);
    return hn::Mul(difference, difference);
  };
  const V variance = hn::Div(SumOf(a.group, squared), channels);
  const V factor = hn::Div(hn::Set(d, 1.0f), hn::Sqrt(hn::Add(variance, hn::Set(d, a.epsilon))));
  for (int32_t c = 0; c < a.group; ++c) {
    const V scaled = hn::Mul(factor, hn::Set(d, scale[c * a.scale_pitch]));
    V y = hn::MulAdd(hn::Sub(element(c), mean), scaled, hn::Set(d, shift[c * a.shift_pitch]));
    if (a.end.clamp) y = Clamp(d, y, a.end.low, a.end.high);
    StoreFirst(y, d, out + c * a.out_pitch, count);
  }
}

// A CompensatedSum keeps what each addition rounds away, and adds it next time.
class CompensatedSum {
 public:
  HWY_INLINE CompensatedSum() : sum_(hn::Zero(Floats())), excess_(hn::Zero(Floats())) {}
  HWY_INLINE void Add(V v) {
    const V rest = hn::Sub(v, excess_), sum = hn::Add(sum_, rest);
    excess_ = hn::Sub(hn::Sub(sum, sum_), rest);
    sum_ = sum;
  }
  HWY_INLINE float Total() const { return hn::GetLane(hn::SumOfLanes(Floats(), sum_)); }

 private:
  V sum_, excess_;
};

// Returns the mean of f(x) over a group's elements x of the map. Lanes that are no pixels are masked out.
template <class Function>
HWY_INLINE float MapMean(const NormalizeArgs& a, const float* in, const Function& f) {
  const Floats d;
  const int32_t lanes = static_cast<int32_t>(kFloats), whole = a.width / lanes;
  const auto rest = hn::FirstN(d, static_cast<size_t>(a.width - whole * lanes));
  CompensatedSum sum;
  for (int32_t y = 0; y < a.rows; ++y) {
    for (int32_t c = 0; c < a.group; ++c) {
      const float* const row = in + y * a.in_row_stride + c * a.in_pitch;
      const auto element = [&](int32_t i) HWY_ATTR { return f(hn::LoadU(d, row + i * lanes)); };
      V of_row = SumOf(whole, element);
      if (whole * lanes != a.width) of_row = hn::Add(of_row, hn::IfThenElseZero(rest, element(whole)));
      sum.Add(of_row);
    }
  }
  return sum.Total() / (static_cast<float>(a.rows) * static_cast<float>(a.group) * static_cast<float>(a.width));
}

HWY_INLINE void MapGroup(const NormalizeArgs& a, const float* in, const float* scale, const float* shift, float* out) {
  const Floats d;
  const V mean = hn::Set(d, MapMean(a, in, [](V x) HWY_ATTR { return x; }));
  const float variance = MapMean(a, in, [&](V x) HWY_ATTR {
    const V difference = hn::Sub(x, mean);
    return hn::Mul(difference, difference);
  });
  const V factor = hn::Div(hn::Set(d, 1.0f), hn::Sqrt(hn::Set(d, variance + a.epsilon)));
  for (int32_t y = 0; y < a.rows; ++y) {
    for (int32_t c = 0; c < a.group; ++c) {
      const float* const from = in + y * a.in_row_stride + c * a.in_pitch;
      float* const to = out + y * a.out_row_stride + c * a.out_pitch;
      const V scaled = hn::Mul(factor, hn::Set(d, scale[c * a.scale_pitch]));
      const V shifted = hn::Set(d, shift[c * a.shift_pitch]);
      for (int32_t x = 0; x < a.width; x += static_cast<int32_t>(kFloats)) {
        V v = hn::MulAdd(hn::Sub(hn::LoadU(d, from + x), mean), scaled, shifted);
        if (a.end.clamp) v = Clamp(d, v, a.end.low, a.end.high);
        StoreFirst(v, d, to + x, static_cast<size_t>(a.width - x));
      }
      StoreZeros(to + a.width, a.end.zeros_behind);
    }
  }
}

}  // namespace

void NormalizePixels(const NormalizeArgs& a) {
  for (int32_t i = 0; i < a.groups; ++i) {
    const ptrdiff_t first = ptrdiff_t{i} * a.group;
    const float *scale = a.scale + first * a.scale_pitch, *shift = a.shift + first * a.shift_pitch;
    float* const out = a.out + first * a.out_pitch;
    for (int32_t x = 0; x < a.width; x += static_cast<int32_t>(kFloats)) {
      PixelGroup(a, a.in + first * a.in_pitch + x, scale, shift, out + x, static_cast<size_t>(a.width - x));
    }
    for (int32_t c = 0; c < a.group; ++c) {
      StoreZeros(out + c * a.out_pitch + a.width, a.end.zeros_behind);
    }
  }
}

void NormalizeMap(const NormalizeArgs& a) {
  for (int32_t i = 0; i < a.groups; ++i) {
    const ptrdiff_t first = ptrdiff_t{i} * a.group;
    MapGroup(a, a.in + first * a.in_pitch, a.scale + first * a.scale_pitch, a.shift + first * a.shift_pitch,
             a.out + first * a.out_pitch);
  }
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();
