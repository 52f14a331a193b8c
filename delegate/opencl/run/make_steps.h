// MakeSteps makes all steps of a graph, several at a time, since each may compile a program.

#ifndef MCPRUNER_DELEGATE_OPENCL_RUN_MAKE_STEPS_H_
#define MCPRUNER_DELEGATE_OPENCL_RUN_MAKE_STEPS_H_

#include <vector>

#include "delegate/opencl/ops/step.h"

namespace mcpruner::opencl {

// Returns one step for each op; a step has no launches where there is nothing to do. When it takes long, it says how
// far it is (tools.log). The error is that of the first op that has one, and names it.
Result<std::vector<Step>> MakeSteps(const Graph& graph, const std::vector<PlaneTensor>& tensors,
                                    const DeviceTools& tools, cl_mem arena);

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_RUN_MAKE_STEPS_H_
