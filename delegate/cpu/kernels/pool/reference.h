// This defines the pools: the result is the largest, or the average, of those elements of a window that lie inside the
// feature map.
//
// Padding only shifts the window: it is -infinity to a maximum, and is left out of both sum and count of an average. A
// valid graph has no window that lies in the padding only.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_POOL_REFERENCE_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_POOL_REFERENCE_H_

#include "delegate/graph/graph.h"

namespace mcpruner {

void MaxPoolReference(const PoolParams& params, const Shape& in, const float* x, const Shape& out, float* y);
// Sums are kept in double.
void AveragePoolReference(const PoolParams& params, const Shape& in, const float* x, const Shape& out, float* y);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_POOL_REFERENCE_H_
