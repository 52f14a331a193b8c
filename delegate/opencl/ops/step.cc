#include "delegate/opencl/ops/step.h"

#include <limits>

#include "delegate/opencl/ops/steps.h"

namespace mcpruner::opencl {

Result<Step> MakeStep(const StepContext& context) {
  switch (context.op.type) {
    case OpType::kConv:
      return MakeConv(context);
    case OpType::kDepthwiseConv:
      return MakeDepthwise(context);
    case OpType::kFullyConnected:
      return MakeFullyConnected(context);
    case OpType::kAdd:
    case OpType::kMul:
    case OpType::kSub:
      return MakeBinary(context);
    case OpType::kMaxPool:
    case OpType::kAveragePool:
      return MakePool(context);
    case OpType::kMean:
      return MakeMean(context);
    case OpType::kPad:
      return MakePad(context);
    case OpType::kConcat:
      return MakeConcat(context);
    case OpType::kUnary:
      return MakeUnary(context);
    case OpType::kSoftmax:
      return MakeSoftmax(context);
    case OpType::kReshape:
      return MakeReshape(context);
    case OpType::kStridedSlice:
      return MakeStridedSlice(context);
  }
  return Status::Error("op '" + context.op.name + "' has no kernel");
}

Result<Step> OneLaunch(Result<Launch> launch) {
  if (!launch.ok()) return launch.status();
  Step step;
  step.launches.push_back(std::move(*launch));
  return step;
}

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
