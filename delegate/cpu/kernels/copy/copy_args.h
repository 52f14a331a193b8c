// These are the arguments of a copy of one row of some channels.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_COPY_COPY_ARGS_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_COPY_COPY_ARGS_H_

#include <stddef.h>
#include <stdint.h>

#include "delegate/cpu/kernels/row_args.h"

namespace mcpruner {

struct CopyRowArgs {
  const float* in;  // pixel 0 of the first channel
  float* out;
  ptrdiff_t in_pitch, out_pitch;
  int32_t channels, width;
  int32_t zeros_before;    // floats to zero before the pixels
  int32_t others_between;  // whether rows of other channels lie between those of the output
  RowEnd end;              // without a clamp
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_COPY_COPY_ARGS_H_
