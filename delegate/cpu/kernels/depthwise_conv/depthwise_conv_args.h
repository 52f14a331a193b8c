// Arguments of a depthwise convolution, one output row of all channels at a time.
//
//     out[x] = bias + sum over taps of weight[tap] * in[x * stride_w + offset[tap]]       stride_w 1 or 2
//
// A tap is one offset, since the zeros around the image are in memory (delegate/cpu/layout.h).

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_DEPTHWISE_CONV_DEPTHWISE_CONV_ARGS_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_DEPTHWISE_CONV_DEPTHWISE_CONV_ARGS_H_

#include <stddef.h>
#include <stdint.h>

#include "delegate/cpu/kernels/row_args.h"

namespace mcpruner {

struct DepthwiseRowArgs {
  const float* in;  // where tap 0 of output pixel 0 of channel 0 would lie, less offsets[0]
  float* out;       // pixel 0 of channel 0
  ptrdiff_t in_pitch, out_pitch;
  int32_t in_channels, multiplier, width;
  int32_t stride_w;
  int32_t num_taps;
  const ptrdiff_t* offsets;  // of each tap
  const float* weights;      // [tap][output channel]
  const float* bias;         // [output channel]
  RowEnd end;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_DEPTHWISE_CONV_DEPTHWISE_CONV_ARGS_H_
