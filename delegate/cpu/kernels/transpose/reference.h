// This defines Transpose: dimension i of the output is dimension order[i] of the input, both counted as N, H, W, C.
//
//     order {0, 1, 3, 2}     y[n, h, w, c] = x[n, h, c, w]

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_TRANSPOSE_REFERENCE_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_TRANSPOSE_REFERENCE_H_

#include "delegate/graph/graph.h"

namespace mcpruner {

void TransposeReference(const TransposeParams& params, const Shape& in, const float* x, float* y);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_TRANSPOSE_REFERENCE_H_
