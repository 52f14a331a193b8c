// Micro-kernels share these arguments: how a row of one channel ends, and what becomes of results before they are
// stored.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_ROW_ARGS_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_ROW_ARGS_H_

#include <stdint.h>

namespace mcpruner {

struct RowEnd {
  int32_t clamp;  // 0: no activation
  float low, high;
  int32_t zeros_behind;  // floats to zero behind the pixels (delegate/cpu/step/layout.h)
};

// A StoreEpilogue is applied to results while they are in registers, behind the clamp. These are functions of a few
// instructions: a pass over memory of its own would take several times as long as they do.
enum class StoreFunction : int32_t { kNone, kLeakyRelu, kHardSwish };
struct StoreEpilogue {
  StoreFunction function;
  const float* alphas;  // of kLeakyRelu: one for each channel of the output
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_ROW_ARGS_H_
