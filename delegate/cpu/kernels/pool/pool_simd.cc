// This micro-kernel runs max and average pooling; pool_args.h says how.

#include "delegate/cpu/kernels/pool/pool_args.h"
#include "delegate/cpu/kernels/simd.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {
namespace {

using V = hn::Vec<Floats>;

// NaN is left out, as TFLite's own kernel does: where one of its operands is NaN, hn::Max returns the second one (x86)
// or the one that is a number.
struct Largest {
  static constexpr float kNothing = -__builtin_huge_valf();
  static HWY_INLINE V Reduce(V largest, V next) { return hn::Max(next, largest); }
};

struct Sum {
  static constexpr float kNothing = 0.0f;
  static HWY_INLINE V Reduce(V sum, V next) { return hn::Add(sum, next); }
};

// This reads over the end of the row and writes over the end of its column, by less than a vector; the padding there is
// written again afterwards.
template <class Op>
HWY_INLINE void ReduceDown(const PoolRowArgs& a, const float* HWY_RESTRICT in, float* HWY_RESTRICT column) {
  const Floats d;
  for (int32_t x = 0; x < a.in_width; x += static_cast<int32_t>(kFloats)) {
    V v = hn::Set(d, Op::kNothing);
    for (int32_t r = 0; r < a.rows; ++r) v = Op::Reduce(v, hn::LoadU(d, in + r * a.in_row_stride + x));
    hn::StoreU(v, d, column + a.pad_left + x);
  }
  hn::StoreU(hn::Set(d, Op::kNothing), d, column + a.pad_left + a.in_width);
}

// Loads columns x * stride, one for each lane x.
HWY_INLINE V LoadStrided(const float* column, int32_t stride) {
  const Floats d;
  if (stride == 1) return hn::LoadU(d, column);
  HWY_ALIGN float lanes[kFloats];
  for (size_t i = 0; i < kFloats; ++i) lanes[i] = column[static_cast<ptrdiff_t>(i) * stride];
  return hn::Load(d, lanes);
}

// Reduces a vector of windows, the first of which begins at `column`, over a.filter_width columns each.
template <class Op>
HWY_INLINE V ReduceWindows(const PoolRowArgs& a, const float* HWY_RESTRICT column) {
  const Floats d;
  V v = hn::Set(d, Op::kNothing);
#if HWY_TARGET != HWY_SCALAR
  if (a.stride_w == 2) {
    for (int32_t k = 0; k < a.filter_width; k += 2) {
      V even, odd;
      hn::LoadInterleaved2(d, column + k, even, odd);
      v = Op::Reduce(v, even);
      if (k + 1 < a.filter_width) v = Op::Reduce(v, odd);
    }
    return v;
  }
#endif
  for (int32_t k = 0; k < a.filter_width; ++k) v = Op::Reduce(v, LoadStrided(column + k, a.stride_w));
  return v;
}

template <class Op>
HWY_INLINE void ReduceAcross(const PoolRowArgs& a, const float* HWY_RESTRICT column, float* HWY_RESTRICT out) {
  const Floats d;
  for (int32_t x = 0; x < a.out_width; x += static_cast<int32_t>(kFloats)) {
    V v = ReduceWindows<Op>(a, column + ptrdiff_t{x} * a.stride_w);
    if (a.counts != nullptr) {
      const V rows = hn::Set(d, static_cast<float>(a.rows));
      v = hn::Div(v, hn::Mul(hn::LoadU(d, a.counts + x), rows));
    }
    if (a.end.clamp) v = Clamp(d, v, a.end.low, a.end.high);
    StoreFirst(v, d, out + x, static_cast<size_t>(a.out_width - x));
  }
}

template <class Op>
HWY_INLINE void Pool(const PoolRowArgs& args) {
  const PoolRowArgs a = args;  // a copy, which no store can change
  for (int32_t first = 0; first < a.channels; first += kPoolColumns) {
    const int32_t count = first + kPoolColumns < a.channels ? kPoolColumns : a.channels - first;
    for (int32_t i = 0; i < count; ++i) {
      ReduceDown<Op>(a, a.in + (first + i) * a.in_pitch, a.columns + i * a.column_size);
    }
    for (int32_t i = 0; i < count; ++i) {
      float* const out = a.out + (first + i) * a.out_pitch;
      ReduceAcross<Op>(a, a.columns + i * a.column_size, out);
      StoreZeros(out + a.out_width, a.end.zeros_behind);
    }
  }
}

}  // namespace

void PoolRow(const PoolRowArgs& args) { args.counts == nullptr ? Pool<Largest>(args) : Pool<Sum>(args); }

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();
