#include <string>

#include "delegate/opencl/ops/step.h"

namespace mcpruner::opencl {
Result<Step> MakeSoftmaxStep(const StepContext& context) {
  const Shape& shape = context.output().layout.shape;
  return OneLaunch(MakeLaunch(context.tools, "reduce.cl", "softmax", {{"LANES", std::to_string(kElementLanes)}},
                              LinearRange(int64_t{shape.h} * shape.w * kElementLanes, kElementLanes, shape.n),
                              context.arena, context.arena, context.input().map(), context.output().map(),
                              ExtentOf(shape), std::get<SoftmaxParams>(context.op.params).beta));
}

}  // namespace mcpruner::opencl
