// This step moves dimensions: rows are copied where columns stay columns, else matrices are transposed. Where images
// and rows stay what they are, it is streamed.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_TRANSPOSE_TRANSPOSE_STEP_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_TRANSPOSE_TRANSPOSE_STEP_H_

#include <memory>

#include "delegate/cpu/step/step.h"

namespace mcpruner {

// Returns the step; it is never null.
std::unique_ptr<Step> MakeTransposeStep(const StepContext& context);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_TRANSPOSE_TRANSPOSE_STEP_H_
