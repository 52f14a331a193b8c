// This step copies the rows of a slice. Where the slice keeps all images, it is streamed.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_STRIDED_SLICE_STRIDED_SLICE_STEP_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_STRIDED_SLICE_STRIDED_SLICE_STEP_H_

#include <memory>

#include "delegate/cpu/step/step.h"

namespace mcpruner {

// Returns the step; it is never null.
std::unique_ptr<Step> MakeStridedSliceStep(const StepContext& context);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_STRIDED_SLICE_STRIDED_SLICE_STEP_H_
