// These make the conversions at a graph's ends, between the caller's NHWC and planes. `nhwc` is a buffer of float32.

#ifndef MCPRUNER_DELEGATE_OPENCL_OPS_COPY_COPY_STEP_H_
#define MCPRUNER_DELEGATE_OPENCL_OPS_COPY_COPY_STEP_H_

#include "delegate/opencl/ops/step.h"

namespace mcpruner::opencl {

Result<Launch> MakePack(const DeviceTools& tools, cl_mem nhwc, const PlaneTensor& tensor, cl_mem arena);
Result<Launch> MakeUnpack(const DeviceTools& tools, const PlaneTensor& tensor, cl_mem arena, cl_mem nhwc);

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_OPS_COPY_COPY_STEP_H_
