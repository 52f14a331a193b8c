// The steps of each op; step.h says what a step is.

#ifndef MCPRUNER_DELEGATE_OPENCL_OPS_STEPS_H_
#define MCPRUNER_DELEGATE_OPENCL_OPS_STEPS_H_

#include "delegate/opencl/ops/step.h"

namespace mcpruner::opencl {

Result<Step> MakeConv(const StepContext& context);
Result<Step> MakeDepthwise(const StepContext& context);
Result<Step> MakeFullyConnected(const StepContext& context);
Result<Step> MakeBinary(const StepContext& context);
Result<Step> MakeUnary(const StepContext& context);
Result<Step> MakePool(const StepContext& context);
Result<Step> MakeMean(const StepContext& context);
Result<Step> MakeSoftmax(const StepContext& context);
Result<Step> MakePad(const StepContext& context);
Result<Step> MakeConcat(const StepContext& context);
Result<Step> MakeReshape(const StepContext& context);
Result<Step> MakeStridedSlice(const StepContext& context);

// Conversions at the ends; `nhwc` is a buffer of float32.
Result<Launch> MakePack(const DeviceTools& tools, cl_mem nhwc, const PlaneTensor& tensor, cl_mem arena);
Result<Launch> MakeUnpack(const DeviceTools& tools, const PlaneTensor& tensor, cl_mem arena, cl_mem nhwc);

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_OPS_STEPS_H_
