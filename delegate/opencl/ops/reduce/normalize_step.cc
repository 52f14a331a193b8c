#include <string>

#include "delegate/opencl/ops/step.h"

namespace mcpruner::opencl {

Result<Step> MakeNormalizeStep(const StepContext& context) {
  const auto& params = std::get<NormalizeParams>(context.op.params);
  const Shape& shape = context.output().layout.shape;
  const Extent terms{1, params.group, params.over_map ? shape.h : 1, params.over_map ? shape.w : 1};
  const Extent groups{shape.n, shape.c / params.group, shape.h / terms.rows, shape.w / terms.columns};
  return OneLaunch(MakeLaunch(
      context.tools, "reduce.cl", "normalize_groups", {{"LANES", std::to_string(kElementLanes)}},
      LinearRange(int64_t{groups.channels} * groups.rows * groups.columns * kElementLanes, kElementLanes, shape.n),
      context.arena, context.arena, context.arena, context.arena, context.input(0).map(), context.input(1).map(),
      context.input(2).map(), context.output().map(), groups, terms, params.epsilon, ClampOf(context.op.activation)));
}

}  // namespace mcpruner::opencl
