// A function of one element becomes the epilogue of the op before it, so that its pass over memory goes.
//
//     x --> Conv --> Silu                             x --> Conv (epilogue Silu)
//     x --> Add --> Prelu (an alpha per channel)      x --> Add (epilogue LeakyRelu, alphas)
//
// Backends that can run epilogues call this themselves, behind FuseGraph.

#ifndef MCPRUNER_DELEGATE_GRAPH_PASSES_FOLD_EPILOGUES_H_
#define MCPRUNER_DELEGATE_GRAPH_PASSES_FOLD_EPILOGUES_H_

#include "delegate/graph/graph.h"

namespace mcpruner {

// Returns the graph with epilogues. It must be valid. Where the tensor between is read by somebody else, the caller
// included, both ops stay, and so they do on maps of one pixel, which are small.
Graph WithEpilogues(Graph graph);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_PASSES_FOLD_EPILOGUES_H_
