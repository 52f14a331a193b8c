// This step runs functions of one element that were not fused.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_UNARY_UNARY_STEP_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_UNARY_UNARY_STEP_H_

#include <memory>

#include "delegate/cpu/step/step.h"

namespace mcpruner {

// Returns the step; it is never null.
std::unique_ptr<Step> MakeUnaryStep(const StepContext& context);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_UNARY_UNARY_STEP_H_
