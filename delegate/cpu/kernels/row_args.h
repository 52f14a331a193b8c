// Micro-kernels that write one output row at a time share this: how a row of one channel ends.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_ROW_ARGS_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_ROW_ARGS_H_

#include <stdint.h>

namespace mcpruner {

struct RowEnd {
  int32_t clamp;  // 0: no activation
  float low, high;
  int32_t zeros_before, zeros_behind;  // floats to zero on either side of the pixels (delegate/cpu/step/layout.h)
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_ROW_ARGS_H_
