// This defines Normalize, of which layer, group and instance normalization are made:
//
//     y = (x - mean) / sqrt(variance + epsilon) * scale[channel] + shift[channel]
//
// Mean and variance are those of a group of neighbouring channels, at each pixel by itself or over the whole map:
//
//     layer normalization over channels    a pixel,    group: all channels
//     group normalization                  the map,    group: channels / groups
//     instance normalization               the map,    group: 1
//
// All of it is computed in double.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_NORMALIZE_REFERENCE_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_NORMALIZE_REFERENCE_H_

#include "delegate/graph/graph.h"

namespace mcpruner {

// `scale` and `shift` have an element for each channel.
void NormalizeReference(const NormalizeParams& params, const Shape& shape, const float* x, const float* scale,
                        const float* shift, float* y);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_NORMALIZE_REFERENCE_H_
