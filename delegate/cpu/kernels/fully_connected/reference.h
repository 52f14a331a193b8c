// This defines a fully-connected layer: x is rows of in_channels, and each row is one pixel of a 1x1 convolution.
//
//     y[row, o] = bias[o] + sum over c of  w[o, c] * x[row, c]

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_FULLY_CONNECTED_REFERENCE_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_FULLY_CONNECTED_REFERENCE_H_

#include "delegate/graph/graph.h"

namespace mcpruner {

// The layer has a 1x1 kernel; x has rows * in_channels elements, and y has rows * out_channels.
void FullyConnectedReference(const SparseLayer& layer, int rows, const float* x, float* y);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_FULLY_CONNECTED_REFERENCE_H_
