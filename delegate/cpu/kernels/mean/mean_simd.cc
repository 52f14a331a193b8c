// The mean over H and W: each channel's rows are added up as vectors, lanes that are no pixels masked out.

#include "delegate/cpu/kernels/mean/mean_args.h"
#include "delegate/cpu/kernels/simd.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {

void MeanChannels(const MeanChannelsArgs& a) {
  const Floats d;
  const float pixels = static_cast<float>(a.rows) * static_cast<float>(a.width);
  const int32_t whole = a.width - a.width % static_cast<int32_t>(kFloats);
  const auto rest = hn::FirstN(d, static_cast<size_t>(a.width - whole));
  for (int32_t c = 0; c < a.channels; ++c) {
    hn::Vec<Floats> sum = hn::Zero(d);
    for (int32_t y = 0; y < a.rows; ++y) {
      const float* const row = a.in + y * a.in_row_stride + c * a.in_pitch;
      for (int32_t x = 0; x < whole; x += static_cast<int32_t>(kFloats)) sum = hn::Add(sum, hn::LoadU(d, row + x));
      if (whole != a.width) sum = hn::Add(sum, hn::IfThenElseZero(rest, hn::LoadU(d, row + whole)));
    }
    float* const out = a.out + c * a.out_pitch;
    StoreZeros(out - a.zeros_before, a.zeros_before);
    *out = hn::GetLane(hn::SumOfLanes(d, sum)) / pixels;
    StoreZeros(out + 1, a.zeros_behind);
  }
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();
