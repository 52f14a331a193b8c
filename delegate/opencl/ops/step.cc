#include "delegate/opencl/ops/step.h"

#include <limits>
#include <utility>

namespace mcpruner::opencl {

Result<Step> AddLaunch(Step step, Result<Launch> launch) {
  if (!launch.ok()) return launch.status();
  step.launches.push_back(std::move(*launch));
  return step;
}

Result<Step> OneLaunch(Result<Launch> launch) { return AddLaunch(Step(), std::move(launch)); }

Extent ExtentOf(const Shape& shape) { return {shape.n, shape.c, shape.h, shape.w}; }

Clamp ClampOf(Activation activation) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  switch (activation) {
    case Activation::kNone:
      break;
    case Activation::kRelu:
      return {0.0f, kInfinity};
    case Activation::kReluN1To1:
      return {-1.0f, 1.0f};
    case Activation::kRelu6:
      return {0.0f, 6.0f};
  }
  return {-kInfinity, kInfinity};
}

}  // namespace mcpruner::opencl
