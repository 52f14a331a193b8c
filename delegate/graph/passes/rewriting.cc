#include "delegate/graph/passes/rewriting.h"

#include <algorithm>

namespace mcpruner {

std::vector<Op*> FindProducers(Graph* graph) {
  std::vector<Op*> producers(graph->tensors.size(), nullptr);
  for (Op& op : graph->ops) producers[static_cast<size_t>(op.output)] = &op;
  return producers;
}

void EraseFolded(Graph* graph) {
  const auto folded = [](const Op& op) { return op.output < 0; };
  graph->ops.erase(std::remove_if(graph->ops.begin(), graph->ops.end(), folded), graph->ops.end());
}

}  // namespace mcpruner
