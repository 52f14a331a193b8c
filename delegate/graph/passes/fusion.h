// Rewrites a graph into fewer ops that compute the same elements.
//
//     Pad -> Conv -> Relu                     Conv (padding in its window, activation Relu)
//
//     x -> Conv --> Add -> Relu               x -> Conv (residual y, activation Relu), at the place of the Add
//     y ---------->
//
// In order: ops that change nothing go; zero pads over H and W move into the window of the convolution that reads them
// (into a maximum's only behind a relu or relu6, which makes zeros invisible to it; never into an average's); relu,
// relu6 and relu_n1_to_1 become the activation of the op before; an add becomes a second input of the convolution
// before. A convolution moves to the place of its add, where both of the add's operands are known; of two, the later
// one takes the add. What nothing reads is dropped.
//
// An op is only folded into another where nobody else, the caller included, sees the tensor between them. A fused op
// keeps the name of the op that holds the weights.

#ifndef MCPRUNER_DELEGATE_GRAPH_PASSES_FUSION_H_
#define MCPRUNER_DELEGATE_GRAPH_PASSES_FUSION_H_

#include "delegate/base/status.h"
#include "delegate/graph/graph.h"

namespace mcpruner {

// Inputs, outputs and tensor numbers stay; tensors that no op uses any more stay in the list. The only error is that of
// ValidateGraph, then the graph is as it was.
Status FuseGraph(Graph* graph);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_PASSES_FUSION_H_
