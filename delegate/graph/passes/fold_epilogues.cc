#include "delegate/graph/passes/fold_epilogues.h"

#include <vector>

#include "delegate/graph/activation_range.h"
#include "delegate/graph/passes/lifetimes.h"
#include "delegate/graph/passes/rewriting.h"

namespace mcpruner {
namespace {

// Returns what the op does to the elements of its first input, if that is all it does and it is no clamp.
std::optional<Epilogue> AsEpilogue(const Graph& graph, const Op& op) {
  if (const auto* unary = std::get_if<UnaryParams>(&op.params)) {
    if (ActivationOf(unary->function) != Activation::kNone) return std::nullopt;
    return Epilogue{*unary, nullptr};
  }
  if (op.type != OpType::kPrelu || op.activation != Activation::kNone) return std::nullopt;
  const Tensor& slope = graph.tensor(op.inputs[1]);
  if (slope.data == nullptr || slope.shape != Shape{1, 1, 1, graph.tensor(op.output).shape.c}) return std::nullopt;
  return Epilogue{{UnaryFunction::kLeakyRelu}, slope.data};
}

bool CanTake(const Graph& graph, const Op& before, const Op& op) {
  const Shape &made = graph.tensor(before.output).shape, &out = graph.tensor(op.output).shape;
  return TakesEpilogue(before.type) && !before.epilogue.has_value() && made == out && out.h * out.w > 1;
}

}  // namespace

Graph WithEpilogues(Graph graph) {
  const std::vector<int> readers = CountReaders(graph);
  const std::vector<Op*> producers = FindProducers(&graph);
  for (Op& op : graph.ops) {
    const std::optional<Epilogue> epilogue = AsEpilogue(graph, op);
    Op* const before = producers[static_cast<size_t>(op.inputs[0])];
    if (!epilogue.has_value() || before == nullptr || readers[static_cast<size_t>(op.inputs[0])] != 1) continue;
    if (before->output != op.inputs[0] || !CanTake(graph, *before, op)) continue;
    before->epilogue = epilogue;
    before->output = op.output;
    op.output = -1;
  }
  EraseFolded(&graph);
  return graph;
}

}  // namespace mcpruner
