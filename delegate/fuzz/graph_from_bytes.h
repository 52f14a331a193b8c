// GraphFromBytes makes a small valid graph, of which bytes decide the ops, sizes, strides, pads and constants.

#ifndef MCPRUNER_DELEGATE_FUZZ_GRAPH_FROM_BYTES_H_
#define MCPRUNER_DELEGATE_FUZZ_GRAPH_FROM_BYTES_H_

#include "delegate/fuzz/fuzz.h"
#include "delegate/graph/graph.h"

namespace mcpruner {

// Returns a graph of up to 8 ops, as long as there are decisions; an op that does not fit its inputs, or is too much
// work, is left out. The graph has one input of batch 1 or 2, one or two outputs, and weights in -1 .. 1.
Graph GraphFromBytes(Decisions* decisions);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_FUZZ_GRAPH_FROM_BYTES_H_
