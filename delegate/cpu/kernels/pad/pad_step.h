// This step runs explicit padding that was not folded into a window.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_PAD_PAD_STEP_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_PAD_PAD_STEP_H_

#include <memory>

#include "delegate/cpu/step/step.h"

namespace mcpruner {

// Returns the step; it is never null.
std::unique_ptr<Step> MakePadStep(const StepContext& context);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_PAD_PAD_STEP_H_
