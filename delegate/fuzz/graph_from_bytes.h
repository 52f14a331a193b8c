// A small valid graph of which bytes decide the ops, sizes, strides, pads and constants.

#ifndef MCPRUNER_DELEGATE_FUZZ_GRAPH_FROM_BYTES_H_
#define MCPRUNER_DELEGATE_FUZZ_GRAPH_FROM_BYTES_H_

#include "delegate/fuzz/fuzz.h"
#include "delegate/graph/graph.h"

namespace mcpruner {

// Up to 8 ops, as long as there are decisions; an op that does not fit its inputs, or is too much work, is left out.
// Weights are numbers in -1 .. 1. One input, batch 1 or 2; one or two outputs.
Graph GraphFromBytes(Decisions* decisions);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_FUZZ_GRAPH_FROM_BYTES_H_
