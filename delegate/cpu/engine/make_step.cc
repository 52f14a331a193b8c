#include "delegate/cpu/engine/make_step.h"

#include "delegate/cpu/engine/reference_step.h"
#include "delegate/cpu/kernels/binary/binary_step.h"
#include "delegate/cpu/kernels/blocks/blocks_step.h"
#include "delegate/cpu/kernels/concat/concat_step.h"
#include "delegate/cpu/kernels/conv/make_conv_step.h"
#include "delegate/cpu/kernels/depthwise_conv/depthwise_conv_step.h"
#include "delegate/cpu/kernels/fully_connected/fully_connected_step.h"
#include "delegate/cpu/kernels/mirror_pad/mirror_pad_step.h"
#include "delegate/cpu/kernels/normalize/normalize_step.h"
#include "delegate/cpu/kernels/pad/pad_step.h"
#include "delegate/cpu/kernels/pool/pool_step.h"
#include "delegate/cpu/kernels/reduce/reduce_step.h"
#include "delegate/cpu/kernels/resize/resize_step.h"
#include "delegate/cpu/kernels/shuffle/shuffle_step.h"
#include "delegate/cpu/kernels/strided_slice/strided_slice_step.h"
#include "delegate/cpu/kernels/transpose/transpose_step.h"
#include "delegate/cpu/kernels/unary/unary_step.h"

namespace mcpruner {
namespace {

// These families have no micro-kernel: what is null is left to ReferenceStep.
std::unique_ptr<Step> MakeSoftmaxStep(const StepContext&) { return nullptr; }
std::unique_ptr<Step> MakeReshapeStep(const StepContext&) { return nullptr; }

std::unique_ptr<Step> MakeStepOfFamily(const StepContext& context) {
  switch (context.op.type) {
#define MCPRUNER_OP(name, Params, fewest, most, activation, family) \
  case OpType::k##name:                                             \
    return Make##family##Step(context);
#include "delegate/graph/ops.inc"
#undef MCPRUNER_OP
  }
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
  std::unique_ptr<Step> step = HasEmptyInput(context) ? nullptr : MakeStepOfFamily(context);
  return step != nullptr ? std::move(step) : std::make_unique<ReferenceStep>(context);
}

}  // namespace mcpruner
