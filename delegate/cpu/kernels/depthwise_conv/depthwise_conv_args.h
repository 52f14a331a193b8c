// These are the arguments of a depthwise convolution, some output rows of all channels at a time.
//
//     out[y][x] = bias + sum over ky, kx of weight[ky][kx] * in[y * stride_h + ky * dilation_h]
//                                                             [x * stride_w + kx * dilation_w]     stride_w 1 or 2
//
// The zeros around the image are in memory (delegate/cpu/step/layout.h), so a tap is one displacement everywhere.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_DEPTHWISE_CONV_DEPTHWISE_CONV_ARGS_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_DEPTHWISE_CONV_DEPTHWISE_CONV_ARGS_H_

#include <stddef.h>
#include <stdint.h>

#include "delegate/cpu/kernels/row_args.h"

namespace mcpruner {

// The micro-kernel makes this many rows at once where there are registers for them.
constexpr int kDepthwiseRows = 7;

struct DepthwiseRowsArgs {
  const float* in;  // first element of the window of output pixel (0, 0), channel 0
  float* out;       // pixel 0 of the first row, channel 0
  ptrdiff_t in_row_stride, in_pitch;
  ptrdiff_t out_row_stride, out_pitch;
  int32_t in_channels, multiplier;  // output channel = input channel * multiplier + m
  int32_t rows, width;              // of the output
  int32_t kernel_height, kernel_width;
  int32_t stride_h, stride_w, dilation_h, dilation_w;
  const float* weights;  // [output channel][ky][kx]
  const float* bias;     // [output channel]
  RowEnd end;
  StoreEpilogue epilogue;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_DEPTHWISE_CONV_DEPTHWISE_CONV_ARGS_H_
