// Fully connected: the vector lies over the filters of a group, and the weights pass by once as one stream.
//
//     sum[0 .. group_size) += value[kernel][0 .. group_size) * x[channel[kernel]]
//
// Four kernels at a time, each into sums of its own, so that no multiply-add waits for the one before.

#include "delegate/cpu/kernels/fully_connected/fully_connected_args.h"
#include "delegate/cpu/kernels/simd.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {
namespace {

constexpr size_t kAtOnce = 4;

template <size_t kGroupSize>
struct Group {
  using D = FewFloats<kGroupSize>;
  using V = hn::Vec<D>;
  static constexpr size_t kLanes = hn::MaxLanes(D());
  static constexpr size_t kVectors = kGroupSize / kLanes;

  static HWY_INLINE void Kernel(const float* HWY_RESTRICT values, float x, V (&sums)[kVectors]) {
    const D d;
    const V in = hn::Set(d, x);
    Unroll<kVectors>([&](auto v) HWY_ATTR {
      sums[v.value] = hn::MulAdd(hn::LoadU(d, values + v.value * kLanes), in, sums[v.value]);
    });
  }

  // The sums of one group for one row of x, without bias.
  static HWY_INLINE void Sum(const FullyConnectedArgs& a, int32_t group, const float* HWY_RESTRICT x, float* sum) {
    const D d;
    V sums[kAtOnce][kVectors];
    Unroll<kAtOnce>([&](auto k)
                        HWY_ATTR { Unroll<kVectors>([&](auto v) HWY_ATTR { sums[k.value][v.value] = hn::Zero(d); }); });
    size_t k = a.group_kernel_begin[group];
    const size_t end = a.group_kernel_begin[group + 1];
    for (; k + kAtOnce <= end; k += kAtOnce) {
      Unroll<kAtOnce>([&](auto i) HWY_ATTR {
        Kernel(a.values + (k + i.value) * kGroupSize, x[a.channels[k + i.value]], sums[i.value]);
      });
    }
    for (; k < end; ++k) Kernel(a.values + k * kGroupSize, x[a.channels[k]], sums[0]);
    Unroll<kVectors>([&](auto v) HWY_ATTR {
      const V low = hn::Add(sums[0][v.value], sums[1][v.value]), high = hn::Add(sums[2][v.value], sums[3][v.value]);
      hn::StoreU(hn::Add(low, high), d, sum + v.value * kLanes);
    });
  }

  static void Run(const FullyConnectedArgs& a) {
    for (int32_t g = a.first_group; g < a.last_group; ++g) {
      const int32_t first = g * static_cast<int32_t>(kGroupSize);
      const int32_t rest = a.out_channels - first;
      const int32_t filters = rest < static_cast<int32_t>(kGroupSize) ? rest : static_cast<int32_t>(kGroupSize);
      for (int32_t row = 0; row < a.num_rows; ++row) {
        float sum[kGroupSize];
        Sum(a, g, a.in + row * a.in_row_stride, sum);
        float* const out = a.out + row * a.out_row_stride;
        for (int32_t f = 0; f < filters; ++f) {
          const size_t channel = a.permutation[first + f];
          float y = sum[f] + a.bias[channel];
          if (a.clamp) {
            y = y < a.low ? a.low : y;
            y = y > a.high ? a.high : y;
          }
          out[channel] = y;
        }
      }
    }
  }
};

}  // namespace

void FullyConnectedGroups(const FullyConnectedArgs& args) {
  switch (args.group_size) {
    case 1:
      return Group<1>::Run(args);
    case 2:
      return Group<2>::Run(args);
    case 4:
      return Group<4>::Run(args);
    case 8:
      return Group<8>::Run(args);
    default:
      return Group<16>::Run(args);
  }
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();
