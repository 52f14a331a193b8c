// This defines mirror padding: in each of the four dimensions, the input goes on as its own mirror image.
//
//     1 2 3, two before and after      without the edge   3 2 1 2 3 2 1      TFLite's REFLECT
//                                      with it            2 1 1 2 3 3 2      TFLite's SYMMETRIC

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_MIRROR_PAD_REFERENCE_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_MIRROR_PAD_REFERENCE_H_

#include "delegate/graph/graph.h"

namespace mcpruner {

void MirrorPadReference(const MirrorPadParams& params, const Shape& in, const float* x, const Shape& out, float* y);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_MIRROR_PAD_REFERENCE_H_
