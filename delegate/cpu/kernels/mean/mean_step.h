// This step computes the mean over H and W (global average pooling).

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_MEAN_MEAN_STEP_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_MEAN_MEAN_STEP_H_

#include <memory>

#include "delegate/cpu/step/step.h"

namespace mcpruner {

// Returns the step; it is never null.
std::unique_ptr<Step> MakeMeanStep(const StepContext& context);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_MEAN_MEAN_STEP_H_
