#include "delegate/opencl/ops/step.h"

#include <utility>

#include "delegate/graph/activation_range.h"

namespace mcpruner::opencl {

Result<Step> AddLaunch(Step step, Result<Launch> launch) {
  if (!launch.ok()) return launch.status();
  step.launches.push_back(std::move(*launch));
  return step;
}

Result<Step> OneLaunch(Result<Launch> launch) { return AddLaunch(Step(), std::move(launch)); }

Extent ExtentOf(const Shape& shape) { return {shape.n, shape.c, shape.h, shape.w}; }

Clamp ClampOf(Activation activation) {
  const ActivationRange range = RangeOf(activation);
  return {range.low, range.high};
}

}  // namespace mcpruner::opencl
