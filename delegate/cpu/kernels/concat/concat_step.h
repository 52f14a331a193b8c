// This step runs a concatenation of channels.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_CONCAT_CONCAT_STEP_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_CONCAT_CONCAT_STEP_H_

#include <memory>

#include "delegate/cpu/step/step.h"

namespace mcpruner {

// Returns null for axes other than the channels.
std::unique_ptr<Step> MakeConcatStep(const StepContext& context);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_CONCAT_CONCAT_STEP_H_
