// This step runs max and average pooling of any window and stride.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_POOL_POOL_STEP_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_POOL_POOL_STEP_H_

#include <memory>

#include "delegate/cpu/step/step.h"

namespace mcpruner {

// Returns the step; it is never null.
std::unique_ptr<Step> MakePoolStep(const StepContext& context);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_POOL_POOL_STEP_H_
