// This gives the meaning of every op: one call runs one op of a valid graph, by the plain loops in
// kernels/<op>/reference.cc.
//
// The reference backend is a list of these calls. The cpu backend uses it for ops that have no micro-kernel.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_REFERENCE_OPS_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_REFERENCE_OPS_H_

#include "delegate/base/span.h"
#include "delegate/base/status.h"
#include "delegate/graph/graph.h"

namespace mcpruner {

// inputs[i] holds tensor op.inputs[i] in NHWC (constants too), `output` receives tensor op.output, and they do not
// overlap. A pointer may be null where the tensor has no elements. The op's activation is applied. `graph` must be
// validated (ValidateGraph).
Status RunReferenceOp(const Graph& graph, const Op& op, Span<const float* const> inputs, float* output);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_REFERENCE_OPS_H_
