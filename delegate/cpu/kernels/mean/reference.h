// This defines the mean over H and W: y[n, 0, 0, c] is the average of the channel's pixels, summed in double.
//
// The mean of no pixels (H or W is 0) is NaN, as 0 / 0 is in TFLite.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_MEAN_REFERENCE_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_MEAN_REFERENCE_H_

#include "delegate/graph/graph.h"

namespace mcpruner {

// y has in.n * in.c elements.
void MeanReference(const Shape& in, const float* x, float* y);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_MEAN_REFERENCE_H_
