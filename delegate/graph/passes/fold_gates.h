// Activations that TFLite has no operator for come as several: this makes them one function of one element again.
//
//     x --> Logistic --> Mul                            x --> Silu
//     x ---------------->
//
//     x --> Exp --> Add 1 --> Log --> Tanh --> Mul      x --> Mish
//     x -------------------------------------->
//
// Where nobody else, the caller included, reads what lies between, those tensors and their passes over memory go.

#ifndef MCPRUNER_DELEGATE_GRAPH_PASSES_FOLD_GATES_H_
#define MCPRUNER_DELEGATE_GRAPH_PASSES_FOLD_GATES_H_

#include "delegate/graph/graph.h"

namespace mcpruner {

// The graph is valid, and no op of it is read by nobody.
void FoldGates(Graph* graph);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_PASSES_FOLD_GATES_H_
