// This defines a strided slice: it takes every stride-th element from `begin` on, in each of the four dimensions.
//
//     y[n, h, w, c] = x[begin[0] + n * stride[0], begin[1] + h * stride[1], begin[2] + w * stride[2], ...]

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_STRIDED_SLICE_REFERENCE_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_STRIDED_SLICE_REFERENCE_H_

#include "delegate/graph/graph.h"

namespace mcpruner {

// y has params.size elements in each dimension.
void StridedSliceReference(const StridedSliceParams& params, const Shape& in, const float* x, float* y);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_STRIDED_SLICE_REFERENCE_H_
