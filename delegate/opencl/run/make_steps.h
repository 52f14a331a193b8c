// All steps of a graph: several ops at a time, since each may compile a program.

#ifndef MCPRUNER_DELEGATE_OPENCL_RUN_MAKE_STEPS_H_
#define MCPRUNER_DELEGATE_OPENCL_RUN_MAKE_STEPS_H_

#include <vector>

#include "delegate/opencl/ops/step.h"

namespace mcpruner::opencl {

// One for each op; without launches where there is nothing to do. Says how far it is (tools.log) when it takes long.
// The error is that of the first op that has one, and names it.
Result<std::vector<Step>> MakeSteps(const Graph& graph, const std::vector<PlaneTensor>& tensors,
                                    const DeviceTools& tools, cl_mem arena);

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_RUN_MAKE_STEPS_H_
