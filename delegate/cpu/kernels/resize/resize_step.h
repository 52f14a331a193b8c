// This step resizes images, by any factors.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_RESIZE_RESIZE_STEP_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_RESIZE_RESIZE_STEP_H_

#include <memory>

#include "delegate/cpu/step/step.h"

namespace mcpruner {

// Returns the step; it is never null.
std::unique_ptr<Step> MakeResizeStep(const StepContext& context);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_RESIZE_RESIZE_STEP_H_
