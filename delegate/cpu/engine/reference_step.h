// ReferenceStep runs an op that has no micro-kernel: it unpacks the inputs to NHWC, runs the reference op and
// packs the result.
//
//     scratch  [input 0, NHWC | input 1, NHWC | ... | output, NHWC]

#ifndef MCPRUNER_DELEGATE_CPU_ENGINE_REFERENCE_STEP_H_
#define MCPRUNER_DELEGATE_CPU_ENGINE_REFERENCE_STEP_H_

#include <vector>

#include "delegate/cpu/step/step.h"

namespace mcpruner {

class ReferenceStep : public Step {
 public:
  explicit ReferenceStep(const StepContext& context);
  void Run(int share) const override;
  int64_t ScratchFloats() const override;

 private:
  const Graph& graph_;
  const Op& op_;
  const MicroKernels& micro_kernels_;
  std::vector<const TensorRef*> inputs_;
  const TensorRef& output_;
  mutable std::vector<const float*> pointers_;  // the inputs in NHWC; a member so that Run allocates nothing
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_ENGINE_REFERENCE_STEP_H_
