// This step copies rows, and mirrors them at their ends.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_MIRROR_PAD_MIRROR_PAD_STEP_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_MIRROR_PAD_MIRROR_PAD_STEP_H_

#include <memory>

#include "delegate/cpu/step/step.h"

namespace mcpruner {

// Returns the step; it is never null.
std::unique_ptr<Step> MakeMirrorPadStep(const StepContext& context);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_MIRROR_PAD_MIRROR_PAD_STEP_H_
