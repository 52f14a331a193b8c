#include <string>

#include "delegate/opencl/ops/step.h"

namespace mcpruner::opencl {
Result<Step> MakeMeanStep(const StepContext& context) {
  const Shape& in = context.input().layout.shape;
  return OneLaunch(MakeLaunch(context.tools, "reduce.cl", "mean", {{"LANES", std::to_string(kElementLanes)}},
                              LinearRange(int64_t{in.c} * kElementLanes, kElementLanes, in.n), context.arena,
                              context.arena, context.input().map(), context.output().map(), ExtentOf(in)));
}

}  // namespace mcpruner::opencl
