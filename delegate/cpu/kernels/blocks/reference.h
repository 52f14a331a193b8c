// These define the ops that move pixels between channels and blocks of an image. A block has `height` x `width` pixels;
// what is one pixel of width * height * c channels on the deep side is a block of c channels on the other:
//
//     deep[n, Y, X, (i * width + j) * c + k]  =  flat[n, Y * height + i, X * width + j, k]

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_BLOCKS_REFERENCE_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_BLOCKS_REFERENCE_H_

#include "delegate/graph/graph.h"

namespace mcpruner {

// Where pixels are cropped, `out` is what is left of the flat side.
void DepthToSpaceReference(const DepthToSpaceParams& params, const Shape& in, const float* x, const Shape& out,
                           float* y);
void SpaceToDepthReference(const SpaceToDepthParams& params, const Shape& in, const float* x, const Shape& out,
                           float* y);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_BLOCKS_REFERENCE_H_
