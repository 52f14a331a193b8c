// This defines the ops of family Reduce: each element of the output is the mean, the sum, the largest or the smallest
// of all elements of the input that differ from it in the reduced dimensions only.
//
//     over rows and columns     x [n, h, w, c]  ->  y [n, 1, 1, c]
//     over channels             x [n, h, w, c]  ->  y [n, h, w, 1]
//
// Sums are made in double. The mean of nothing is NaN, as 0 / 0 is in TFLite, its sum is 0, and its largest minus
// infinity. The largest and the smallest leave NaN out.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_REDUCE_REFERENCE_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_REDUCE_REFERENCE_H_

#include "delegate/graph/graph.h"

namespace mcpruner {

void ReduceReference(ReduceFunction function, const ReduceParams& params, const Shape& in, const float* x, float* y);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_REDUCE_REFERENCE_H_
