// The reference backend defines what a graph computes.
//
// It runs the ops in order, as plain loops (kernels/reference_ops.h), on one thread. Every other backend is compared
// with it, and the delegate falls back to it. Computed tensors are NHWC float32 in one planned arena. Weights are read
// from the SparseLayers as they are; nothing is packed. Outputs are copied out at the end, so any tensor may be an
// output.

#ifndef MCPRUNER_DELEGATE_CPU_REFERENCE_BACKEND_H_
#define MCPRUNER_DELEGATE_CPU_REFERENCE_BACKEND_H_

#include <memory>

#include "delegate/graph/backend.h"

namespace mcpruner {

std::unique_ptr<Backend> CreateReferenceBackend();

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_REFERENCE_BACKEND_H_
