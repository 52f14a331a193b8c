// Fusion rewrites a graph into fewer ops that compute the same elements.
//
//     Pad -> Conv -> Relu                     Conv (padding in its window, activation Relu)
//
//     x -> Conv --> Add -> Relu               x -> Conv (residual y, activation Relu), at the place of the Add
//     y ---------->
//
// It works in this order:
//   1. Ops that change nothing are removed.
//   2. Zero pads over H and W move into the window of the convolution that reads them. They move into the window of a
//      max pool only behind a relu or relu6, after which zeros cannot change a maximum, and never into an average pool.
//   3. Several ops that are one activation become it (fold_gates.h).
//   4. Relu, relu6 and relu_n1_to_1 become the activation of the op before them.
//   5. An add becomes the second input of the convolution before it, which moves to the place of the add, where both of
//      the add's operands are known. Of two convolutions, the later one takes the add.
//
// Ops whose output nothing reads are dropped behind the second.
//
// An op is only folded into another where nobody else, the caller included, sees the tensor between them. A fused op
// keeps the name of the op that holds the weights.

#ifndef MCPRUNER_DELEGATE_GRAPH_PASSES_FUSION_H_
#define MCPRUNER_DELEGATE_GRAPH_PASSES_FUSION_H_

#include "delegate/base/status.h"
#include "delegate/graph/graph.h"

namespace mcpruner {

// Graph inputs, graph outputs and tensor numbers do not change; tensors that no op uses any more stay in the list. The
// only error is that of ValidateGraph, after which the graph is as it was.
Status FuseGraph(Graph* graph);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_PASSES_FUSION_H_
