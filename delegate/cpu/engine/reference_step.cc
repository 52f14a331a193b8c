#include "delegate/cpu/engine/reference_step.h"

#include "delegate/cpu/kernels/pack/pack_step.h"
#include "delegate/cpu/kernels/reference_ops.h"

namespace mcpruner {

ReferenceStep::ReferenceStep(const StepContext& context)
    : Step("reference", 1),
      graph_(context.graph),
      op_(context.op),
      micro_kernels_(context.micro_kernels),
      output_(context.output()),
      pointers_(context.op.inputs.size()) {
  for (size_t i = 0; i < op_.inputs.size(); ++i) inputs_.push_back(&context.input(i));
}

int64_t ReferenceStep::ScratchFloats() const {
  int64_t floats = output_.layout.elements();
  for (const TensorRef* input : inputs_) floats += input->layout.elements();
  return floats;
}

void ReferenceStep::Run(int /*share*/) const {
  float* nhwc = scratch();
  for (size_t i = 0; i < inputs_.size(); ++i) {
    FromHcw(micro_kernels_, *inputs_[i], nhwc, 0, 1);
    pointers_[i] = nhwc;
    nhwc += inputs_[i]->layout.elements();
  }
  // The only error that this can return is a wrong number of pointers.
  static_cast<void>(RunReferenceOp(graph_, op_, pointers_, nhwc).ok());
  ToHcw(micro_kernels_, nhwc, output_, 0, 1);
}

}  // namespace mcpruner
