// For the mean over H and W, each channel's rows are added up as vectors, with lanes that are no pixels masked out.
// Vectors are added up pairwise: in one running sum of many terms, most bits of a late term would be lost.

#include "delegate/cpu/kernels/mean/mean_args.h"
#include "delegate/cpu/kernels/simd.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {
namespace {

// A PairwiseSum adds up blocks of kBlock vectors one by one, and combines the blocks' sums as a binary number is
// counted up: where two sums of 2^k blocks meet, they become one of 2^(k + 1).
class PairwiseSum {
 public:
  HWY_INLINE PairwiseSum() : block_(hn::Zero(Floats())) {}
  HWY_INLINE void Add(hn::Vec<Floats> v) {
    block_ = hn::Add(block_, v);
    if (++in_block_ == kBlock) EndBlock();
  }
  HWY_INLINE float Total() const {
    const Floats d;
    hn::Vec<Floats> total = block_;
    for (uint32_t k = 0; blocks_ >> k != 0; ++k) {
      if (blocks_ >> k & 1) total = hn::Add(hn::LoadU(d, sums_[k]), total);
    }
    return hn::GetLane(hn::SumOfLanes(d, total));
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

  hn::Vec<Floats> block_;
  int in_block_ = 0;
  uint32_t blocks_ = 0;          // bit k: sums_[k] is in use
  float sums_[kSizes][kFloats];  // sums_[k] is the sum of 2^k blocks
};

}  // namespace

void MeanChannels(const MeanChannelsArgs& a) {
  const Floats d;
  const float pixels = static_cast<float>(a.rows) * static_cast<float>(a.width);
  const int32_t whole = a.width - a.width % static_cast<int32_t>(kFloats);
  const auto rest = hn::FirstN(d, static_cast<size_t>(a.width - whole));
  for (int32_t c = 0; c < a.channels; ++c) {
    PairwiseSum sum;
    for (int32_t y = 0; y < a.rows; ++y) {
      const float* const row = a.in + y * a.in_row_stride + c * a.in_pitch;
      for (int32_t x = 0; x < whole; x += static_cast<int32_t>(kFloats)) sum.Add(hn::LoadU(d, row + x));
      if (whole != a.width) sum.Add(hn::IfThenElseZero(rest, hn::LoadU(d, row + whole)));
    }
    float* const out = a.out + c * a.out_pitch;
    StoreZeros(out - a.zeros_before, a.zeros_before);
    *out = sum.Total() / pixels;
    StoreZeros(out + 1, a.zeros_behind);
  }
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();
