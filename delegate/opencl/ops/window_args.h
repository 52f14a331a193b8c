// WindowArgsOf returns the windows of an op (conv.cl, depthwise_conv.cl), which reach into the zeros around its input.

#ifndef MCPRUNER_DELEGATE_OPENCL_OPS_WINDOW_ARGS_H_
#define MCPRUNER_DELEGATE_OPENCL_OPS_WINDOW_ARGS_H_

#include "delegate/opencl/ops/step.h"

namespace mcpruner::opencl {

WindowArgs WindowArgsOf(const StepContext& context, const Window& window);

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_OPS_WINDOW_ARGS_H_
