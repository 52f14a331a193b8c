// These steps normalize: each pixel over its channels, which is streamed, or groups of channels over the map.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_NORMALIZE_NORMALIZE_STEP_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_NORMALIZE_NORMALIZE_STEP_H_

#include <memory>

#include "delegate/cpu/step/step.h"

namespace mcpruner {

// Returns the step; it is never null.
std::unique_ptr<Step> MakeNormalizeStep(const StepContext& context);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_NORMALIZE_NORMALIZE_STEP_H_
