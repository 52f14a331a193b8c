// These micro-kernels make one element of many: rows are combined as vectors; over columns, lanes that are no pixels
// are masked out. Vectors are added up pairwise: in one running sum of many terms, most bits of a late term would be
// lost.

#include "delegate/cpu/kernels/reduce/reduce_args.h"
#include "delegate/cpu/kernels/simd.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {
namespace {

using V = hn::Vec<Floats>;

// A PairwiseSum adds up blocks of kBlock vectors one by one, and combines the blocks' sums as a binary number is
// counted up: where two sums of 2^k blocks meet, they become one of 2^(k + 1).
class PairwiseSum {
 public:
  HWY_INLINE PairwiseSum() : block_(hn::Zero(Floats())) {}
  HWY_INLINE void Add(V v) {
    block_ = hn::Add(block_, v);
    if (++in_block_ == kBlock) EndBlock();
  }
  HWY_INLINE V Total() const {
    const Floats d;
    V total = block_;
    for (uint32_t k = 0; blocks_ >> k != 0; ++k) {
      if (blocks_ >> k & 1) total = hn::Add(hn::LoadU(d, sums_[k]), total);
    }
    return total;
  }

 private:
  static constexpr int kBlock = 16, kSizes = 32;
  void EndBlock() {
    const Floats d;
    uint32_t k = 0;
    for (; blocks_ >> k & 1; ++k) block_ = hn::Add(hn::LoadU(d, sums_[k]), block_);
    hn::StoreU(block_, d, sums_[k]);
    ++blocks_;
    block_ = hn::Zero(d);
    in_block_ = 0;
  }

  V block_;
  int in_block_ = 0;
  uint32_t blocks_ = 0;          // bit k: sums_[k] is in use
  float sums_[kSizes][kFloats];  // sums_[k] is the sum of 2^k blocks
};

// An Extreme is the largest or the smallest of vectors. A comparison with NaN is false, so NaN is left out.
template <bool kLargest>
class Extreme {
 public:
  HWY_INLINE Extreme() : extreme_(Nothing()) {}
  HWY_INLINE void Add(V v) {
    const auto beyond = kLargest ? hn::Gt(v, extreme_) : hn::Lt(v, extreme_);
    extreme_ = hn::IfThenElse(beyond, v, extreme_);
  }
  HWY_INLINE V Total() const { return extreme_; }
  // Returns what no number is beyond.
  static HWY_INLINE V Nothing() { return kLargest ? hn::Neg(hn::Inf(Floats())) : hn::Inf(Floats()); }

 private:
  V extreme_;
};

struct Sum {
  using Accumulator = PairwiseSum;
  static HWY_INLINE V Nothing() { return hn::Zero(Floats()); }
  static HWY_INLINE float OfLanes(V v) { return hn::GetLane(hn::SumOfLanes(Floats(), v)); }
};
struct Largest {
  using Accumulator = Extreme<true>;
  static HWY_INLINE V Nothing() { return Accumulator::Nothing(); }
  static HWY_INLINE float OfLanes(V v) { return hn::GetLane(hn::MaxOfLanes(Floats(), v)); }
};
struct Smallest {
  using Accumulator = Extreme<false>;
  static HWY_INLINE V Nothing() { return Accumulator::Nothing(); }
  static HWY_INLINE float OfLanes(V v) { return hn::GetLane(hn::MinOfLanes(Floats(), v)); }
};

// Makes one element of a line; the result is divided by `divisor`.
template <class Function>
HWY_INLINE void ReduceColumns(const ReduceLinesArgs& a, const float* in, float divisor, float* out) {
  const Floats d;
  const int32_t whole = a.width - a.width % static_cast<int32_t>(kFloats);
  const auto rest = hn::FirstN(d, static_cast<size_t>(a.width - whole));
  typename Function::Accumulator sum;
  for (int32_t term = 0; term < a.terms; ++term) {
    const float* const row = in + term * a.term_stride;
    for (int32_t x = 0; x < whole; x += static_cast<int32_t>(kFloats)) sum.Add(hn::LoadU(d, row + x));
    if (whole != a.width) sum.Add(hn::IfThenElse(rest, hn::LoadU(d, row + whole), Function::Nothing()));
  }
  *out = Function::OfLanes(sum.Total()) / divisor;
}

// Makes an element of each column of a line.
template <class Function>
HWY_INLINE void ReduceTerms(const ReduceLinesArgs& a, const float* in, float divisor, float* out) {
  const Floats d;
  for (int32_t x = 0; x < a.width; x += static_cast<int32_t>(kFloats)) {
    typename Function::Accumulator sum;
    for (int32_t term = 0; term < a.terms; ++term) sum.Add(hn::LoadU(d, in + term * a.term_stride + x));
    StoreFirst(hn::Div(sum.Total(), hn::Set(d, divisor)), d, out + x, static_cast<size_t>(a.width - x));
  }
}

template <class Function>
HWY_INLINE void Lines(const ReduceLinesArgs& a, float divisor) {
  const int32_t results = a.over_columns ? 1 : a.width;
  for (int32_t line = 0; line < a.lines; ++line) {
    const float* const in = a.in + line * a.in_line_stride;
    float* const out = a.out + line * a.out_line_stride;
    if (a.over_columns) {
      ReduceColumns<Function>(a, in, divisor, out);
    } else {
      ReduceTerms<Function>(a, in, divisor, out);
    }
    StoreZeros(out + results, a.end.zeros_behind);
  }
}

}  // namespace

void ReduceLines(const ReduceLinesArgs& a) {
  switch (a.function) {
    case ReduceFunction::kMean: {
      const float columns = a.over_columns ? static_cast<float>(a.width) : 1.0f;
      return Lines<Sum>(a, static_cast<float>(a.terms) * columns);
    }
    case ReduceFunction::kSum:
      return Lines<Sum>(a, 1.0f);
    case ReduceFunction::kReduceMax:
      return Lines<Largest>(a, 1.0f);
    case ReduceFunction::kReduceMin:
      return Lines<Smallest>(a, 1.0f);
  }
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();
