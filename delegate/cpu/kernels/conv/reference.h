// This defines a (sparse) convolution, in plain loops over an NHWC feature map.
//
//     y[n, oy, ox, o] = bias[o] + residual[n, oy, ox, o]
//                     + sum over channels c and positions (ky, kx) of  w[o, ky, kx, c] * x[n, iy, ix, c]
//     iy = oy * stride_h + ky * dilation_h - top,   ix = ox * stride_w + kx * dilation_w - left
//
// x is 0 outside of the map. The weights are read as the format stores them, in one forward pass for each output pixel:
// groups, their runs, the runs' kernels, the set bits of the pattern, the filters of the group. A filter's packed
// number is turned into its channel (permutation) where the result is stored. Sums are kept in double and rounded once,
// so the float32 result is exact to its last bit (unless terms cancel nearly completely), and micro-kernels are
// compared with it.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_CONV_REFERENCE_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_CONV_REFERENCE_H_

#include "delegate/graph/graph.h"

namespace mcpruner {

// x has in.c == layer.in_channels, and y has out.c == layer.out_channels. `residual` has y's shape, or is null for
// none. The activation is not applied here.
void ConvReference(const SparseLayer& layer, const Window& window, const Shape& in, const float* x,
                   const float* residual, const Shape& out, float* y);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_CONV_REFERENCE_H_
