// This defines reshape: the same elements follow in the same NHWC order.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_RESHAPE_REFERENCE_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_RESHAPE_REFERENCE_H_

#include <cstdint>

namespace mcpruner {

void ReshapeReference(int64_t size, const float* x, float* y);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_RESHAPE_REFERENCE_H_
