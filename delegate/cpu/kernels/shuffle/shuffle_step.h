// This step copies the rows of shuffled channels. It is streamed.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_SHUFFLE_SHUFFLE_STEP_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_SHUFFLE_SHUFFLE_STEP_H_

#include <memory>

#include "delegate/cpu/step/step.h"

namespace mcpruner {

// Returns the step; it is never null.
std::unique_ptr<Step> MakeShuffleStep(const StepContext& context);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_SHUFFLE_SHUFFLE_STEP_H_
