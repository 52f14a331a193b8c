// This defines softmax over channels, for each pixel:
//
//     y[c] = exp(beta * (x[c] - m)) / sum over k of exp(beta * (x[k] - m)),   m = the largest x[k]
//
// The result does not depend on m; subtracting it keeps exp finite. All of it is computed in double.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_SOFTMAX_REFERENCE_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_SOFTMAX_REFERENCE_H_

#include "delegate/graph/graph.h"

namespace mcpruner {

// Both x and y have the shape `shape`.
void SoftmaxReference(const SoftmaxParams& params, const Shape& shape, const float* x, float* y);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_SOFTMAX_REFERENCE_H_
