// This defines a depthwise convolution: each input channel has `multiplier` filters of its own.
//
//     y[n, oy, ox, c * multiplier + m] = bias + sum over (ky, kx) of  w[ky, kx, c * multiplier + m] * x[n, iy, ix, c]
//
// Here iy, ix and the zeros outside of x are as in a convolution (conv/reference.h). Sums are kept in double.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_DEPTHWISE_CONV_REFERENCE_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_DEPTHWISE_CONV_REFERENCE_H_

#include "delegate/graph/graph.h"

namespace mcpruner {

void DepthwiseConvReference(const DepthwiseParams& params, const Shape& in, const float* x, const Shape& out, float* y);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_DEPTHWISE_CONV_REFERENCE_H_
