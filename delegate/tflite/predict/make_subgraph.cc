#include "delegate/tflite/predict/make_subgraph.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "delegate/cost/amounts.h"
#include "delegate/tflite/abi/builtin_params.h"
#include "delegate/tflite/abi/int_array.h"
#include "delegate/tflite/parse/node_plan.h"
#include "delegate/tflite/predict/layer_times.h"

namespace mcpruner {
namespace {

bool IsConstant(const TfLiteTensor& tensor) { return tensor.allocation_type == kTfLiteMmapRo; }

// Returns whether a node expands a constant, which runtimes do once. `expanded` are the outputs of such nodes before.
bool ExpandsOnce(const ModelView& view, const NodeRef& node, const std::set<int>& expanded) {
  const std::string name = OpName(*node.registration);
  const TfLiteTensor* const x = TensorAt(view.context, InputIndex(node, 0));
  return (name == "DEQUANTIZE" || name == "DENSIFY") &&
         ((x != nullptr && IsConstant(*x)) || expanded.count(InputIndex(node, 0)) > 0);
}

std::vector<Dims> SizesOf(const ModelView& view, const std::vector<int>& tensors) {
  std::vector<Dims> sizes;
  for (const int index : tensors) {
    if (TensorAt(view.context, index) != nullptr) sizes.push_back(ConstantDims(view, index));
  }
  return sizes;
}

cost::WindowSize WindowOf(const NodeRef& node, const std::string& name) {
  const auto* const pool = static_cast<const TfLitePoolParams*>(node.node->builtin_data);
  if (pool == nullptr || (name != "MAX_POOL_2D" && name != "AVERAGE_POOL_2D")) return {};
  return {static_cast<double>(pool->filter_height), static_cast<double>(pool->filter_width)};
}

cost::Times TimesWithoutWeights(const ModelView& view, const NodeRef& node, const cost::Operator& op,
                                const cost::CostTable& table) {
  const cost::PlainAmounts amounts =
      cost::AmountsWithoutWeights(cost::KindOf(op.name).value_or(cost::Kind::kCopy), SizesOf(view, op.inputs),
                                  SizesOf(view, op.outputs), WindowOf(node, op.name), *table.simd);
  return {table.Time(amounts.tflite), table.Time(amounts.plugin)};
}

void AddElements(const ModelView& view, const std::vector<int>& tensors, cost::Subgraph* graph) {
  for (const int index : tensors) {
    const TfLiteTensor* const tensor = TensorAt(view.context, index);
    if (tensor == nullptr || tensor->type != kTfLiteFloat32 || IsConstant(*tensor) || tensor->is_variable) continue;
    double elements = 1;
    for (const int size : TensorDims(*tensor)) elements *= std::max(1, size);
    graph->elements[index] = elements;
  }
}

}  // namespace

double WeightBytes(const ModelView& view, const std::vector<NodeRef>& nodes) {
  std::set<int> weights;
  for (const NodeRef& node : nodes) {
    const std::string name = OpName(*node.registration);
    if (name == "CONV_2D" || name == "FULLY_CONNECTED") weights.insert(InputIndex(node, 1));
  }
  double bytes = 0;
  for (const int index : weights) {
    if (TensorAt(view.context, index) == nullptr) continue;
    double elements = 4;
    for (const int size : ConstantDims(view, index)) elements *= std::max(0, size);
    bytes += elements;
  }
  return bytes;
}

cost::Subgraph MakeSubgraph(const ModelView& view, const std::vector<NodeRef>& nodes, const cost::CostTable& table,
                            LayerCache* cache) {
  cost::Subgraph graph;
  std::set<int> expanded;
  for (const NodeRef& node : nodes) {
    cost::Operator op;
    op.name = OpName(*node.registration);
    op.inputs = IntArrayVector(node.node->inputs);
    op.outputs = IntArrayVector(node.node->outputs);
    op.packed = IsSparseOp(*node.registration) || view.packed.count(node.index) > 0;
    AddElements(view, op.inputs, &graph);
    if (ExpandsOnce(view, node, expanded)) {
      expanded.insert(op.outputs.begin(), op.outputs.end());
    } else {
      AddElements(view, op.outputs, &graph);
      const bool computes = std::any_of(op.outputs.begin(), op.outputs.end(),
                                        [&](int output) { return graph.elements.count(output) > 0; });
      const bool has_weights = HasWeights(*node.registration);
      const cost::Times times = !computes     ? cost::Times()
                                : has_weights ? LayerTimes(view, node, table, cache)
                                              : TimesWithoutWeights(view, node, op, table);
      op.tflite_ns = times.tflite_ns;
      op.plugin_ns = times.plugin_ns;
    }
    graph.operators.push_back(std::move(op));
  }
  for (const int tensor : expanded) graph.elements.erase(tensor);
  return graph;
}

}  // namespace mcpruner
