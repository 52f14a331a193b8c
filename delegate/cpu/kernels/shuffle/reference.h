// This defines Shuffle, which deals the channels of `groups` groups out in turn, as ShuffleNet does:
//
//     channels 0 1 2 3 4 5 in 2 groups  ->  0 3 1 4 2 5

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_SHUFFLE_REFERENCE_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_SHUFFLE_REFERENCE_H_

#include "delegate/graph/graph.h"

namespace mcpruner {

void ShuffleReference(const ShuffleParams& params, const Shape& shape, const float* x, float* y);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_SHUFFLE_REFERENCE_H_
