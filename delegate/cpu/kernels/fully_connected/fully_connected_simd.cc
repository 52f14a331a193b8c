// In a fully-connected layer the vector lies over the filters of a group, and the weights pass by as streams, in the
// type that they are stored in.
//
//     sum[0 .. group_size) += value[kernel][0 .. group_size) * x[channel[kernel]]
//
// Several groups go along together, each with its own sums. So no multiply-add waits for the one before, and since
// channels ascend, all groups read the same part of x, which may be larger than L1. Weights need no prefetching: the
// core follows the streams by itself (prefetched by hand, small layers took a quarter longer).

#include "delegate/cpu/kernels/fully_connected/fully_connected_args.h"
#include "delegate/cpu/kernels/simd.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {
namespace {

// With several rows of x, fewer groups run at once, so that the sums of all rows stay in registers. The scalar fallback
// is kept small.
constexpr bool kScalar = HWY_TARGET == HWY_SCALAR;
constexpr int kGroupsAtOnce = kScalar ? 1 : kFullyConnectedGroups;
constexpr int kRowsAtOnce = kScalar ? 1 : 4, kGroupsOfRows = kScalar ? 1 : 2;

// Loads values as floats; int8 values come without their scale.
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

// Input that is not in L1 comes from L2 in time if it is asked for this many bytes ahead. Other distances were not
// measured.
constexpr uintptr_t kInputBytesAhead = 256;

template <int kGroupSize, class Value, int kGroups, int kRows>
struct Block {
  using D = FewFloats<kGroupSize>;
  using V = hn::Vec<D>;
  static constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));
  static constexpr int kVectors = kGroupSize / kLanes;
  using Sums = V[kRows][kVectors];  // of one group

  // A Stream is what is left of the kernels of one group.
  struct Stream {
    const Value* values;
    const uint16_t* channels;
    size_t count;
  };

  static HWY_INLINE void SetZero(Sums& sums) {
    MCPRUNER_UNROLL for (int r = 0; r < kRows; ++r) {
      MCPRUNER_UNROLL for (int v = 0; v < kVectors; ++v) sums[r][v] = hn::Zero(D());
    }
  }

  static HWY_INLINE void AddKernel(const Stream& stream, size_t kernel, const float* HWY_RESTRICT x, ptrdiff_t stride,
                                   Sums& sums) {
    const D d;
    const Value* const values = stream.values + kernel * kGroupSize;
    const float* const in = x + stream.channels[kernel];
    MCPRUNER_UNROLL for (int v = 0; v < kVectors; ++v) {
      const V weights = LoadValues(d, values + v * kLanes);
      MCPRUNER_UNROLL for (int r = 0; r < kRows; ++r) {
        sums[r][v] = hn::MulAdd(weights, hn::Set(d, in[r * stride]), sums[r][v]);
      }
    }
  }

  static HWY_INLINE void PrefetchInput(const float* x) {
    // The address is computed as a number, since it may lie behind the array, where no pointer may point.
    __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<uintptr_t>(x) + kInputBytesAhead));
  }

  // Adds what is left of one group by itself, several kernels at once.
  static HWY_INLINE void AddStream(const Stream& stream, const float* HWY_RESTRICT x, ptrdiff_t stride, Sums& sums) {
    constexpr int kAtOnce = kRowsAtOnce / kRows;
    Sums parts[kAtOnce];
    MCPRUNER_UNROLL for (int i = 0; i < kAtOnce; ++i) SetZero(parts[i]);
    size_t k = 0;
    for (; k + kAtOnce <= stream.count; k += kAtOnce) {
      MCPRUNER_UNROLL for (int i = 0; i < kAtOnce; ++i)
          AddKernel(stream, k + static_cast<size_t>(i), x, stride, parts[i]);
    }
    for (; k < stream.count; ++k) AddKernel(stream, k, x, stride, parts[0]);
    MCPRUNER_UNROLL for (int r = 0; r < kRows; ++r) {
      MCPRUNER_UNROLL for (int v = 0; v < kVectors; ++v) {
        MCPRUNER_UNROLL for (int i = 0; i < kAtOnce; ++i) sums[r][v] = hn::Add(sums[r][v], parts[i][r][v]);
      }
    }
  }

  static HWY_INLINE void Sum(Stream (&streams)[kGroups], const float* HWY_RESTRICT x, ptrdiff_t stride,
                             Sums (&sums)[kGroups]) {
    MCPRUNER_UNROLL for (int g = 0; g < kGroups; ++g) SetZero(sums[g]);
    if constexpr (kGroups > 1) {
      size_t common = streams[0].count;
      MCPRUNER_UNROLL for (int g = 1; g < kGroups; ++g) {
        if (streams[g].count < common) common = streams[g].count;
      }
      for (size_t k = 0; k < common; ++k) {
        PrefetchInput(x + streams[0].channels[k]);
        MCPRUNER_UNROLL for (int g = 0; g < kGroups; ++g) AddKernel(streams[g], k, x, stride, sums[g]);
      }
      MCPRUNER_UNROLL for (int g = 0; g < kGroups; ++g) {
        streams[g].values += common * kGroupSize;
        streams[g].channels += common;
        streams[g].count -= common;
      }
    }
    MCPRUNER_UNROLL for (int g = 0; g < kGroups; ++g) AddStream(streams[g], x, stride, sums[g]);
  }

  // Applies scale, bias and activation to one group of one row, and stores it.
  static void Store(const FullyConnectedArgs& a, int32_t group, const V (&sums)[kVectors], float* out) {
    float lanes[kGroupSize];
    MCPRUNER_UNROLL for (int v = 0; v < kVectors; ++v) hn::StoreU(sums[v], D(), lanes + v * kLanes);
    const int32_t first = group * kGroupSize;
    for (int32_t f = 0; f < kGroupSize && first + f < a.out_channels; ++f) {
      const size_t channel = a.permutation[first + f];
      const float scale = sizeof(Value) == 1 ? a.scales[first + f] : 1.0f;
      float y = lanes[f] * scale + a.bias[channel];
      if (a.clamp) {
        y = y < a.low ? a.low : y;
        y = y > a.high ? a.high : y;
      }
      out[channel] = y;
    }
  }

  static void Run(const FullyConnectedArgs& a, int32_t first_group, int32_t first_row) {
    Stream streams[kGroups];
    MCPRUNER_UNROLL for (int g = 0; g < kGroups; ++g) {
      const size_t begin = a.group_kernel_begin[first_group + g], end = a.group_kernel_begin[first_group + g + 1];
      streams[g] = {static_cast<const Value*>(a.values) + begin * kGroupSize, a.channels + begin, end - begin};
    }
    Sums sums[kGroups];
    Sum(streams, a.in + first_row * a.in_row_stride, a.in_row_stride, sums);
    MCPRUNER_UNROLL for (int g = 0; g < kGroups; ++g) {
      MCPRUNER_UNROLL for (int r = 0; r < kRows; ++r) {
        Store(a, first_group + g, sums[g][r], a.out + (first_row + r) * a.out_row_stride);
      }
    }
  }
};

// Computes all rows of some groups: their weights come from memory for the first rows and from the cache for the
// others.
template <int kGroupSize, class Value, int kGroups>
HWY_INLINE void RunRows(const FullyConnectedArgs& a, int32_t group) {
  constexpr int kTogether = kGroups < kGroupsOfRows ? kGroups : kGroupsOfRows;
  int32_t row = 0;
  for (; row + kRowsAtOnce <= a.num_rows; row += kRowsAtOnce) {
    for (int32_t g = 0; g < kGroups; g += kTogether) {
      Block<kGroupSize, Value, kTogether, kRowsAtOnce>::Run(a, group + g, row);
    }
  }
  for (; row < a.num_rows; ++row) Block<kGroupSize, Value, kGroups, 1>::Run(a, group, row);
}

template <int kGroupSize, class Value>
void RunGroups(const FullyConnectedArgs& a) {
  int32_t group = a.first_group;
  for (; group + kGroupsAtOnce <= a.last_group; group += kGroupsAtOnce) {
    RunRows<kGroupSize, Value, kGroupsAtOnce>(a, group);
  }
  for (; group < a.last_group; ++group) RunRows<kGroupSize, Value, 1>(a, group);
}

template <class Value>
void RunValues(const FullyConnectedArgs& a) {
  switch (a.group_size) {
    case 1:
      return RunGroups<1, Value>(a);
    case 2:
      return RunGroups<2, Value>(a);
    case 4:
      return RunGroups<4, Value>(a);
    case 8:
      return RunGroups<8, Value>(a);
    default:
      return RunGroups<16, Value>(a);
  }
}

}  // namespace

void FullyConnectedGroups(const FullyConnectedArgs& args) {
  switch (args.value_bytes) {
    case 1:
      return RunValues<int8_t>(args);
    case 2:
      return RunValues<hwy::float16_t>(args);
    default:
      return RunValues<float>(args);
  }
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();
