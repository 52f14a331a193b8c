// Fully connected: the vector lies over the filters of a group, and the weights pass by once as one stream, in the type
// that they are stored in.
//
//     sum[0 .. group_size) += value[kernel][0 .. group_size) * x[channel[kernel]]
//
// Four kernels at a time, or four rows of x, each into sums of its own, so that no multiply-add waits for the one
// before.

#include "delegate/cpu/kernels/fully_connected/fully_connected_args.h"
#include "delegate/cpu/kernels/simd.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {
namespace {

constexpr int kMostRows = 4;

// Values as floats, but int8 without its scale.
template <class D>
HWY_INLINE hn::Vec<D> LoadValues(D d, const float* values) {
  return hn::LoadU(d, values);
}
template <class D>
HWY_INLINE hn::Vec<D> LoadValues(D d, const hwy::float16_t* values) {
  return hn::PromoteTo(d, hn::LoadU(hn::Rebind<hwy::float16_t, D>(), values));
}
template <class D>
HWY_INLINE hn::Vec<D> LoadValues(D d, const int8_t* values) {
  const hn::Rebind<int32_t, D> integers;
  return hn::ConvertTo(d, hn::PromoteTo(integers, hn::LoadU(hn::Rebind<int8_t, D>(), values)));
}

template <int kGroupSize, class Value>
struct Group {
  using D = FewFloats<kGroupSize>;
  using V = hn::Vec<D>;
  static constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));
  static constexpr int kVectors = kGroupSize / kLanes;

  // Kernel `k` times some rows of x.
  template <int kRows>
  static HWY_INLINE void AddKernel(const FullyConnectedArgs& a, size_t k, const float* HWY_RESTRICT x,
                                   V (&sums)[kRows][kVectors]) {
    const D d;
    const Value* const values = static_cast<const Value*>(a.values) + k * kGroupSize;
    const float* const in = x + a.channels[k];
    MCPRUNER_UNROLL for (int v = 0; v < kVectors; ++v) {
      const V weights = LoadValues(d, values + v * kLanes);
      MCPRUNER_UNROLL for (int r = 0; r < kRows; ++r) {
        sums[r][v] = hn::MulAdd(weights, hn::Set(d, in[r * a.in_row_stride]), sums[r][v]);
      }
    }
  }

  // The sums of one group for kRows rows of x, before scale and bias.
  template <int kRows>
  static HWY_INLINE void Sum(const FullyConnectedArgs& a, int32_t group, const float* HWY_RESTRICT x,
                             float (&out)[kRows][kGroupSize]) {
    const D d;
    constexpr int kAtOnce = kMostRows / kRows;
    V sums[kAtOnce][kRows][kVectors];
    MCPRUNER_UNROLL for (int i = 0; i < kAtOnce; ++i) {
      MCPRUNER_UNROLL for (int r = 0; r < kRows; ++r) {
        MCPRUNER_UNROLL for (int v = 0; v < kVectors; ++v) sums[i][r][v] = hn::Zero(d);
      }
    }
    size_t k = a.group_kernel_begin[group];
    const size_t end = a.group_kernel_begin[group + 1];
    for (; k + kAtOnce <= end; k += kAtOnce) {
      MCPRUNER_UNROLL for (int i = 0; i < kAtOnce; ++i) AddKernel<kRows>(a, k + static_cast<size_t>(i), x, sums[i]);
    }
    for (; k < end; ++k) AddKernel<kRows>(a, k, x, sums[0]);
    MCPRUNER_UNROLL for (int r = 0; r < kRows; ++r) {
      MCPRUNER_UNROLL for (int v = 0; v < kVectors; ++v) {
        V sum = sums[0][r][v];
        MCPRUNER_UNROLL for (int i = 1; i < kAtOnce; ++i) sum = hn::Add(sum, sums[i][r][v]);
        hn::StoreU(sum, d, out[r] + v * kLanes);
      }
    }
  }

  template <int kRows>
  static HWY_INLINE void RunRows(const FullyConnectedArgs& a, int32_t group, int32_t row) {
    float sums[kRows][kGroupSize];
    Sum<kRows>(a, group, a.in + row * a.in_row_stride, sums);
    const int32_t first = group * kGroupSize;
    for (int32_t f = first; f < first + kGroupSize && f < a.out_channels; ++f) {
      const size_t channel = a.permutation[f];
      const float scale = sizeof(Value) == 1 ? a.scales[f] : 1.0f;
      for (int r = 0; r < kRows; ++r) {
        float y = sums[r][f - first] * scale + a.bias[channel];
        if (a.clamp) {
          y = y < a.low ? a.low : y;
          y = y > a.high ? a.high : y;
        }
        a.out[(row + r) * a.out_row_stride + static_cast<ptrdiff_t>(channel)] = y;
      }
    }
  }

  // A group's weights come from memory for its first rows and from the cache for the others.
  static void Run(const FullyConnectedArgs& a) {
    for (int32_t group = a.first_group; group < a.last_group; ++group) {
      int32_t row = 0;
      for (; row + kMostRows <= a.num_rows; row += kMostRows) RunRows<kMostRows>(a, group, row);
      for (; row < a.num_rows; ++row) RunRows<1>(a, group, row);
    }
  }
};

template <class Value>
void RunGroups(const FullyConnectedArgs& a) {
  switch (a.group_size) {
    case 1:
      return Group<1, Value>::Run(a);
    case 2:
      return Group<2, Value>::Run(a);
    case 4:
      return Group<4, Value>::Run(a);
    case 8:
      return Group<8, Value>::Run(a);
    default:
      return Group<16, Value>::Run(a);
  }
}

}  // namespace

void FullyConnectedGroups(const FullyConnectedArgs& args) {
  switch (args.value_bytes) {
    case 1:
      return RunGroups<int8_t>(args);
    case 2:
      return RunGroups<hwy::float16_t>(args);
    default:
      return RunGroups<float>(args);
  }
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();
