// These are the arguments of functions of one element, one row of all channels at a time.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_UNARY_UNARY_ARGS_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_UNARY_UNARY_ARGS_H_

#include <stddef.h>
#include <stdint.h>

#include "delegate/cpu/kernels/row_args.h"
#include "delegate/graph/unary_function.h"

namespace mcpruner {

struct UnaryRowArgs {
  const float* in;  // pixel 0 of channel 0
  float* out;
  ptrdiff_t in_pitch, out_pitch;
  int32_t channels, width;
  UnaryFunction function;
  float alpha;  // of kLeakyRelu
  RowEnd end;   // its bounds are those of kRelu, kReluN1To1 and kRelu6
};

// These are the arguments of a function that is applied in place to pieces of a map: the same runs of pixels in each of
// some channels.
constexpr int kMaxUnaryRuns = 12;

struct UnaryRun {
  ptrdiff_t first;  // floats from `out`
  int32_t count;    // pixels
};

struct UnaryRunsArgs {
  float* out;  // of channel 0
  ptrdiff_t channel_stride;
  const int32_t* channels;
  int32_t num_channels, num_runs;
  UnaryRun runs[kMaxUnaryRuns];
  UnaryFunction function;  // neither a clamp nor kLeakyRelu, which are applied in registers
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_UNARY_UNARY_ARGS_H_
