// These are the arguments of functions of one element, one row of all channels at a time.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_UNARY_UNARY_ARGS_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_UNARY_UNARY_ARGS_H_

#include <stddef.h>
#include <stdint.h>

#include "delegate/cpu/kernels/row_args.h"

namespace mcpruner {

// What UnaryRow computes of each element x: clamp(x, end.low, end.high), hard swish x * clamp(x + 3, 0, 6) / 6, or the
// logistic function 1 / (1 + exp(-x)).
enum UnaryKernel : int32_t { kUnaryClamp, kUnaryHardSwish, kUnaryLogistic };

struct UnaryRowArgs {
  const float* in;  // pixel 0 of channel 0
  float* out;
  ptrdiff_t in_pitch, out_pitch;
  int32_t channels, width;
  UnaryKernel function;
  RowEnd end;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_UNARY_UNARY_ARGS_H_
