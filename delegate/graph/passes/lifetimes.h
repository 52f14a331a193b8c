// A tensor's lifetime is the range of ops during which its elements are needed.
//
//     op           0      1      2      3
//     tensor 0   [input--]                      read last by op 1
//     tensor 1   [out----------]                written by op 0, read last by op 2
//     tensor 2                 [out-----]       a graph output lives to the end
//
// Two tensors may share memory when no op lies in both lifetimes (memory_plan.h makes them share it).

#ifndef MCPRUNER_DELEGATE_GRAPH_PASSES_LIFETIMES_H_
#define MCPRUNER_DELEGATE_GRAPH_PASSES_LIFETIMES_H_

#include <vector>

#include "delegate/graph/graph.h"

namespace mcpruner {

// Ops are numbered as in Graph::ops, and both ends are included. A lifetime is empty (last_op < first_op) for constants
// and for tensors that nothing uses. Graph inputs live from op 0 and graph outputs to the last op, so that they survive
// the conversions at the ends.
struct Lifetime {
  int first_op = 0;
  int last_op = -1;
  bool empty() const { return last_op < first_op; }
};

// Returns one lifetime for each tensor of a valid graph.
std::vector<Lifetime> TensorLifetimes(const Graph& graph);

// Returns how often each tensor is read, by ops and by the caller. An op that reads it twice counts twice.
std::vector<int> CountReaders(const Graph& graph);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_PASSES_LIFETIMES_H_
