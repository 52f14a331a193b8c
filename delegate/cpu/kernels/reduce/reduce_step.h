// These steps run the ops of family Reduce. Those that keep the rows of a map are streamed.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_REDUCE_REDUCE_STEP_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_REDUCE_REDUCE_STEP_H_

#include <memory>

#include "delegate/cpu/step/step.h"

namespace mcpruner {

// Returns the step; it is never null.
std::unique_ptr<Step> MakeReduceStep(const StepContext& context);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_REDUCE_REDUCE_STEP_H_
