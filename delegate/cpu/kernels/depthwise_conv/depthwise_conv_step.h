// This step runs a depthwise convolution of any kernel and dilation, with a stride of 1 or 2 in W.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_DEPTHWISE_CONV_DEPTHWISE_CONV_STEP_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_DEPTHWISE_CONV_DEPTHWISE_CONV_STEP_H_

#include <memory>

#include "delegate/cpu/step/step.h"

namespace mcpruner {

// Returns null for larger strides in W, and where the input could not be given the borders that the window needs.
std::unique_ptr<Step> MakeDepthwiseConvStep(const StepContext& context);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_DEPTHWISE_CONV_DEPTHWISE_CONV_STEP_H_
