#include "delegate/graph/passes/lifetimes.h"

#include <algorithm>

namespace mcpruner {

std::vector<Lifetime> TensorLifetimes(const Graph& graph) {
  std::vector<Lifetime> lifetimes(graph.tensors.size());
  // Op numbers ascend below, so the last one written is the latest.
  const auto extend = [&](int tensor, int op) {
    if (graph.tensor(tensor).data == nullptr) lifetimes[static_cast<size_t>(tensor)].last_op = op;
  };
  for (const int i : graph.inputs) extend(i, 0);
  for (size_t k = 0; k < graph.ops.size(); ++k) {
    const Op& op = graph.ops[k];
    for (const int i : op.inputs) extend(i, static_cast<int>(k));
    lifetimes[static_cast<size_t>(op.output)].first_op = static_cast<int>(k);
    extend(op.output, static_cast<int>(k));
  }
  const int last_op = std::max(0, static_cast<int>(graph.ops.size()) - 1);
  for (const int i : graph.outputs) extend(i, last_op);
  return lifetimes;
}

std::vector<int> CountReaders(const Graph& graph) {
  std::vector<int> readers(graph.tensors.size());
  for (const Op& op : graph.ops) {
    for (const int i : op.inputs) ++readers[static_cast<size_t>(i)];
  }
  for (const int i : graph.outputs) ++readers[static_cast<size_t>(i)];
  return readers;
}

}  // namespace mcpruner
