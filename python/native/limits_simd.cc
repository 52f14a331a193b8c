// These loops do nothing but multiply-add, or read: they show what the CPU can do at most.

#include "delegate/cpu/kernels/simd.h"
#include "python/native/limits_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {

int64_t MultiplyAdds(int64_t rounds, float* out) {
  constexpr size_t kSums = 12;  // 12 hide the latency: two start in a cycle, and each takes four to five cycles
  const Floats d;
  hn::Vec<Floats> sums[kSums];
  const auto x = hn::Set(d, 0.5f), y = hn::Set(d, 0.25f);
  Unroll<kSums>([&](auto i) { sums[i.value] = hn::Set(d, static_cast<float>(i.value)); });
  for (int64_t round = 0; round < rounds; ++round) {
    Unroll<kSums>([&](auto i) { sums[i.value] = hn::MulAdd(sums[i.value], x, y); });
  }
  Unroll<kSums>([&](auto i) { hn::StoreU(sums[i.value], d, out + i.value * kFloats); });
  return rounds * static_cast<int64_t>(kSums * kFloats);
}

float Read(const float* from, size_t count) {
  constexpr size_t kSums = 8;
  const Floats d;
  hn::Vec<Floats> sums[kSums];
  Unroll<kSums>([&](auto i) { sums[i.value] = hn::Zero(d); });
  for (size_t at = 0; at + kSums * kFloats <= count; at += kSums * kFloats) {
    Unroll<kSums>([&](auto i) { sums[i.value] = hn::Add(sums[i.value], hn::LoadU(d, from + at + i.value * kFloats)); });
  }
  Unroll<kSums>([&](auto i) { sums[0] = i.value == 0 ? sums[0] : hn::Add(sums[0], sums[i.value]); });
  return hn::GetLane(hn::SumOfLanes(d, sums[0]));
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();
