// These are the arguments of the fully-connected micro-kernel: plain pointers, and strides that are counted in floats.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_FULLY_CONNECTED_FULLY_CONNECTED_ARGS_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_FULLY_CONNECTED_FULLY_CONNECTED_ARGS_H_

#include <stddef.h>
#include <stdint.h>

namespace mcpruner {

// One row of x is multiplied by this many groups at once. Shares begin at multiples of it, so that the order of
// additions, and with it the last bit of a result, does not depend on the number of threads.
constexpr int32_t kFullyConnectedGroups = 4;

// These arguments ask for groups first_group .. last_group - 1 of every row. Channels and values are as SparseLayer
// holds them: with 1x1 kernels, each kernel is one channel and group_size values.
struct FullyConnectedArgs {
  int32_t group_size;  // 1, 2, 4, 8 or 16
  int32_t first_group, last_group;
  int32_t out_channels;
  const uint32_t* group_kernel_begin;  // one more than there are groups
  const uint16_t* channels;
  const void* values;
  int32_t value_bytes;  // 4: float32, 2: float16, 1: int8
  const float* scales;  // of each packed filter; int8 only
  const uint16_t* permutation;
  const float* bias;

  int32_t num_rows;
  const float* in;
  ptrdiff_t in_row_stride;
  float* out;
  ptrdiff_t out_row_stride;

  int32_t clamp;  // whether to apply low .. high
  float low, high;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_FULLY_CONNECTED_FULLY_CONNECTED_ARGS_H_
