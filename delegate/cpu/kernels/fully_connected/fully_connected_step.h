// This step runs fully-connected layers, and 1x1 convolutions of 1x1 images: it multiplies rows of in_channels by one
// stream of weights.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_FULLY_CONNECTED_FULLY_CONNECTED_STEP_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_FULLY_CONNECTED_FULLY_CONNECTED_STEP_H_

#include <memory>
#include <vector>

#include "delegate/cpu/step/step.h"
#include "delegate/graph/activation_range.h"
#include "delegate/graph/weights/sparse_layer.h"

namespace mcpruner {

// Returns the step; it is never null.
std::unique_ptr<Step> MakeFullyConnectedStep(const StepContext& context);

// Makes the step of a convolution (kConv). Returns null unless kernel and images are one pixel, without borders and
// without a residual.
std::unique_ptr<Step> MakePixelConvStep(const StepContext& context);

class FullyConnectedStep : public Step {
 public:
  FullyConnectedStep(const StepContext& context, std::shared_ptr<const SparseLayer> layer);
  void Run(int share) const override;
  // The kernel reads and writes rows in NHWC. Inputs that are no vectors are unpacked into scratch first, and outputs
  // that are none are packed from it afterwards.
  int64_t ScratchFloats() const override;

 private:
  const MicroKernels& micro_kernels_;
  const TensorRef& input_;
  const TensorRef& output_;
  const std::shared_ptr<const SparseLayer> layer_;
  const ActivationRange activation_;
  std::vector<uint32_t> group_kernel_begin_;
  std::vector<Range> shares_;  // of groups, with equal numbers of weights
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_FULLY_CONNECTED_FULLY_CONNECTED_STEP_H_
