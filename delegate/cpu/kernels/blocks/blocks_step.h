// These steps move pixels between channels and blocks of an image, for blocks of any size.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_BLOCKS_BLOCKS_STEP_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_BLOCKS_BLOCKS_STEP_H_

#include <memory>

#include "delegate/cpu/step/step.h"

namespace mcpruner {

// Returns the step of a DepthToSpace or SpaceToDepth; it is never null.
std::unique_ptr<Step> MakeBlocksStep(const StepContext& context);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_BLOCKS_BLOCKS_STEP_H_
