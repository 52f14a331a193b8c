// This defines concatenation: the inputs follow each other along one axis.
//
//     axis = 3:   y[..., 0 .. c0) = first input,   y[..., c0 .. c0 + c1) = second, ...

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_CONCAT_REFERENCE_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_CONCAT_REFERENCE_H_

#include "delegate/base/span.h"
#include "delegate/graph/graph.h"

namespace mcpruner {

// inputs[i] holds tensor op.inputs[i] of the graph, and y is filled as tensor op.output.
void ConcatReference(const Graph& graph, const Op& op, Span<const float* const> inputs, float* y);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_CONCAT_REFERENCE_H_
