// Depthwise convolution of any kernel and dilation, strides in W of 1 and 2.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_DEPTHWISE_CONV_DEPTHWISE_CONV_STEP_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_DEPTHWISE_CONV_DEPTHWISE_CONV_STEP_H_

#include <memory>

#include "delegate/cpu/step/step.h"

namespace mcpruner {

// Null for larger strides in W, and where the input could not be given the borders that the window needs.
std::unique_ptr<Step> MakeDepthwiseConvStep(const StepContext& context);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_DEPTHWISE_CONV_DEPTHWISE_CONV_STEP_H_
