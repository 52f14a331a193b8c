// These are the arguments of functions of one element, one row of all channels at a time.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_UNARY_UNARY_ARGS_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_UNARY_UNARY_ARGS_H_

#include <stddef.h>
#include <stdint.h>

#include "delegate/cpu/kernels/row_args.h"

namespace mcpruner {

// This says what UnaryRow computes of each element. It has the values of UnaryFunction, whose header SIMD code cannot
// include.
enum UnaryKernel : int32_t {
#define MCPRUNER_UNARY(name) kUnary##name,
#include "delegate/graph/unary_functions.inc"
#undef MCPRUNER_UNARY
};

struct UnaryRowArgs {
  const float* in;  // pixel 0 of channel 0
  float* out;
  ptrdiff_t in_pitch, out_pitch;
  int32_t channels, width;
  UnaryKernel function;
  float alpha;  // of kUnaryLeakyRelu
  RowEnd end;   // its bounds are those of kUnaryRelu, kUnaryReluN1To1 and kUnaryRelu6
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_UNARY_UNARY_ARGS_H_
