// These convert whole tensors between NHWC and HCW: at the ends of a graph, and around reference ops.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_PACK_PACK_STEP_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_PACK_PACK_STEP_H_

#include "delegate/cpu/kernels/micro_kernels.h"
#include "delegate/cpu/step/step.h"

namespace mcpruner {

// Both convert one share of a tensor's rows. Packing leaves the rows of zeros to ClearBorders.
void ToHcw(const MicroKernels& micro_kernels, const float* nhwc, const TensorRef& tensor, int share, int num_shares);
void FromHcw(const MicroKernels& micro_kernels, const TensorRef& tensor, float* nhwc, int share, int num_shares);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_PACK_PACK_STEP_H_
