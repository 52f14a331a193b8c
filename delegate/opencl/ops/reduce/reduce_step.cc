#include <string>

#include "delegate/graph/shapes.h"
#include "delegate/opencl/ops/step.h"

namespace mcpruner::opencl {
namespace {

// Returns what reduce.cl needs to know of a function. It has no blanks, since it is part of the compiler's options.
Defines DefinesOf(ReduceFunction function) {
  const std::string lanes = std::to_string(kElementLanes);
  switch (function) {
    case ReduceFunction::kMean:
    case ReduceFunction::kSum:
      break;
    case ReduceFunction::kReduceMax:
      return {{"LANES", lanes}, {"COMBINE", "b>a?b:a"}, {"START", "-INFINITY"}};
    case ReduceFunction::kReduceMin:
      return {{"LANES", lanes}, {"COMBINE", "b<a?b:a"}, {"START", "INFINITY"}};
  }
  return {{"LANES", lanes}};
}

}  // namespace

Result<Step> MakeReduceStep(const StepContext& context) {
  const auto& params = std::get<ReduceParams>(context.op.params);
  const Shape &in = context.input().layout.shape, &out = context.output().layout.shape;
  const ReduceFunction function = ReduceFunctionOf(context.op.type);
  const Extent terms{1, params.channels ? in.c : 1, params.rows ? in.h : 1, params.columns ? in.w : 1};
  const float divisor = function == ReduceFunction::kMean ? static_cast<float>(ReducedElements(params, in)) : 1.0f;
  return OneLaunch(MakeLaunch(context.tools, "reduce.cl", "reduce", DefinesOf(function),
                              LinearRange(out.size() / out.n * kElementLanes, kElementLanes, out.n), context.arena,
                              context.arena, context.input().map(), context.output().map(), ExtentOf(out), terms,
                              divisor));
}

}  // namespace mcpruner::opencl
