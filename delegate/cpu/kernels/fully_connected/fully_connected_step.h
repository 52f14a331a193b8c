// Fully connected, and 1x1 convolutions of 1x1 images: rows of in_channels times one stream of weights.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_FULLY_CONNECTED_FULLY_CONNECTED_STEP_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_FULLY_CONNECTED_FULLY_CONNECTED_STEP_H_

#include <memory>
#include <vector>

#include "delegate/cpu/step/step.h"
#include "delegate/graph/activation_range.h"
#include "delegate/graph/weights/sparse_layer.h"

namespace mcpruner {

// Never null.
std::unique_ptr<Step> MakeFullyConnectedStep(const StepContext& context);

// For a convolution (kConv): null unless kernel and images are one pixel, without borders and without a residual.
std::unique_ptr<Step> MakePixelConvStep(const StepContext& context);

class FullyConnectedStep : public Step {
 public:
  FullyConnectedStep(const StepContext& context, std::shared_ptr<const SparseLayer> layer);
  void Run(int share) const override;
  // Rows are NHWC: other inputs than vectors are unpacked first, and other outputs packed afterwards.
  int64_t ScratchFloats() const override;

 private:
  const KernelTable& kernels_;
  const TensorRef& input_;
  const TensorRef& output_;
  const std::shared_ptr<const SparseLayer> layer_;
  const ActivationRange activation_;
  std::vector<uint32_t> group_kernel_begin_;
  std::vector<Range> shares_;  // of groups, with equal numbers of weights
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_FULLY_CONNECTED_FULLY_CONNECTED_STEP_H_
