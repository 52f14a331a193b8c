// This step runs functions of two tensors, with broadcasting.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_BINARY_BINARY_STEP_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_BINARY_BINARY_STEP_H_

#include <memory>

#include "delegate/cpu/step/step.h"

namespace mcpruner {

// Returns the step; it is never null.
std::unique_ptr<Step> MakeBinaryStep(const StepContext& context);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_BINARY_BINARY_STEP_H_
