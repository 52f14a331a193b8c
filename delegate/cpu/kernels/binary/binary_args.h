// These are the arguments of functions of two tensors, one row of all channels at a time.
//
// An operand that broadcasts is repeated: over channels its pitch is 0, over columns its step is 0. (Rows and images
// are the step's affair.)

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_BINARY_BINARY_ARGS_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_BINARY_BINARY_ARGS_H_

#include <stddef.h>
#include <stdint.h>

#include "delegate/cpu/kernels/row_args.h"
#include "delegate/graph/binary_function.h"

namespace mcpruner {

struct BinaryRowArgs {
  const float *a, *b;  // pixel 0 of channel 0
  float* out;
  ptrdiff_t a_pitch, b_pitch, out_pitch;
  int32_t a_step, b_step;  // 0 or 1
  int32_t channels, width;
  BinaryFunction function;
  RowEnd end;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_BINARY_BINARY_ARGS_H_
