// This defines the resizes of images: rows and columns are resampled, resize_axis.h says from where.
//
//     y[n, h, w, c] = blend by rows and columns of x[n, lower row or the next, lower column or the next, c]

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_RESIZE_REFERENCE_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_RESIZE_REFERENCE_H_

#include "delegate/graph/graph.h"

namespace mcpruner {

// `type` is kResizeBilinear or kResizeNearest. Blends are computed in double.
void ResizeReference(OpType type, const ResizeParams& params, const Shape& in, const float* x, const Shape& out,
                     float* y);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_RESIZE_REFERENCE_H_
