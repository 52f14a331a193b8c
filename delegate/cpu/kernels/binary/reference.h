// This defines functions of two tensors: they go element by element, and a dimension of size 1 is repeated to the
// output's.
//
//     a [1, 8, 8, 4]   b [1, 1, 1, 4]  ->  y [1, 8, 8, 4],   y[n, h, w, c] = a[n, h, w, c] op b[0, 0, 0, c]

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_BINARY_REFERENCE_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_BINARY_REFERENCE_H_

#include "delegate/graph/graph.h"

namespace mcpruner {

void BinaryReference(BinaryFunction function, const Shape& a_shape, const float* a, const Shape& b_shape,
                     const float* b, const Shape& out, float* y);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_BINARY_REFERENCE_H_
