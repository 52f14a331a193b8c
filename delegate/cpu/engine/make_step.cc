#include "delegate/cpu/engine/make_step.h"

#include "delegate/cpu/engine/reference_step.h"
#include "delegate/cpu/kernels/binary/binary_step.h"
#include "delegate/cpu/kernels/concat/concat_step.h"
#include "delegate/cpu/kernels/conv/make_conv_step.h"
#include "delegate/cpu/kernels/depthwise_conv/depthwise_conv_step.h"
#include "delegate/cpu/kernels/fully_connected/fully_connected_step.h"
#include "delegate/cpu/kernels/mean/mean_step.h"
#include "delegate/cpu/kernels/pad/pad_step.h"
#include "delegate/cpu/kernels/pool/pool_step.h"
#include "delegate/cpu/kernels/unary/unary_step.h"

namespace mcpruner {
namespace {

MakeStepFunction FunctionFor(OpType type) {
#define MCPRUNER_STEP(op_type, function) \
  if (type == OpType::op_type) return &function;
#include "delegate/cpu/engine/steps.inc"
#undef MCPRUNER_STEP
  return nullptr;
}

bool HasEmptyInput(const StepContext& context) {
  for (size_t i = 0; i < context.op.inputs.size(); ++i) {
    if (context.input(i).layout.elements() == 0) return true;
  }
  return false;
}

}  // namespace

std::unique_ptr<Step> MakeStep(const StepContext& context) {
  if (context.output().layout.elements() == 0) return nullptr;
  const MakeStepFunction make = HasEmptyInput(context) ? nullptr : FunctionFor(context.op.type);
  std::unique_ptr<Step> step = make == nullptr ? nullptr : make(context);
  return step != nullptr ? std::move(step) : std::make_unique<ReferenceStep>(context);
}

}  // namespace mcpruner
