// This defines pad: the input is surrounded by `value` in each of the four dimensions.
//
//     y[n, h, w, c] = x[n - before[0], h - before[1], w - before[2], c - before[3]], or value outside of x

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_PAD_REFERENCE_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_PAD_REFERENCE_H_

#include "delegate/graph/graph.h"

namespace mcpruner {

void PadReference(const PadParams& params, const Shape& in, const float* x, const Shape& out, float* y);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_PAD_REFERENCE_H_
