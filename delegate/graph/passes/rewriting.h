// Passes that rewrite a graph share this.

#ifndef MCPRUNER_DELEGATE_GRAPH_PASSES_REWRITING_H_
#define MCPRUNER_DELEGATE_GRAPH_PASSES_REWRITING_H_

#include <vector>

#include "delegate/graph/graph.h"

namespace mcpruner {

// Returns the op that computes each tensor; null for inputs and constants. The pointers are good until graph->ops
// changes its length.
std::vector<Op*> FindProducers(Graph* graph);

// Removes the ops whose output is -1, which says that they have been folded away.
void EraseFolded(Graph* graph);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_PASSES_REWRITING_H_
