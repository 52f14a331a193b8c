// MakeStep makes the step that runs an op.

#ifndef MCPRUNER_DELEGATE_CPU_ENGINE_MAKE_STEP_H_
#define MCPRUNER_DELEGATE_CPU_ENGINE_MAKE_STEP_H_

#include <memory>

#include "delegate/cpu/step/step.h"

namespace mcpruner {

// Returns the step that the op's family makes (graph/ops.inc), or a ReferenceStep where it makes none. Returns null
// where the output has no elements.
std::unique_ptr<Step> MakeStep(const StepContext& context);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_ENGINE_MAKE_STEP_H_
