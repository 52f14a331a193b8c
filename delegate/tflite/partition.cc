#include "delegate/tflite/partition.h"

#include <algorithm>
#include <map>

#include "delegate/tflite/builtin_params.h"
#include "delegate/tflite/graph_builder.h"
#include "delegate/tflite/int_array.h"
#include "delegate/tflite/node_plan.h"

namespace mcpruner {
namespace {

bool HasWeights(const TfLiteRegistration& registration) {
  const int32_t code = registration.builtin_code;
  return IsSparseOp(registration) || code == kTfLiteBuiltinConv2d || code == kTfLiteBuiltinDepthwiseConv2d ||
         code == kTfLiteBuiltinFullyConnected;
}

Status CanRun(const ModelView& view, const NodeRef& node, LayerCache* cache) {
  if (IsSparseOp(*node.registration)) return Status::Ok();
  if (node.registration->builtin_code == kTfLiteBuiltinDelegate) return Status::Error("another delegate has taken it");
  Result<NodePlan> plan = ParseNode(view, node, cache);
  if (!plan.ok()) return plan.status();
  const auto dims_of = [&view](int tensor) {
    const TfLiteTensor* t = TensorAt(view.context, tensor);
    return t != nullptr ? TensorDims(*t) : Dims();
  };
  const int output = plan->output;
  return BuildGraph({std::move(*plan)}, {output}, dims_of).status();
}

Result<std::vector<NodeRef>> ListNodes(TfLiteContext* context) {
  TfLiteIntArray* execution_plan = nullptr;
  if (context->GetExecutionPlan(context, &execution_plan) != kTfLiteOk || execution_plan == nullptr) {
    return Status::Error("the runtime gave no execution plan");
  }
  std::vector<NodeRef> nodes;
  for (const int index : IntArrayVector(execution_plan)) {
    const Result<NodeRef> node = GetNode(context, index);
    if (!node.ok()) return node.status();
    nodes.push_back(*node);
  }
  return nodes;
}

// The partitions that the runtime would make of the taken nodes; all of them as one where it cannot tell.
std::vector<std::vector<int>> PreviewPartitions(TfLiteContext* context, const std::vector<NodeReport>& rows) {
  std::vector<int> taken;
  for (const NodeReport& row : rows) {
    if (row.taken) taken.push_back(row.node);
  }
  const IntArrayPtr array = MakeIntArray(taken);
  TfLiteDelegateParams* params = nullptr;
  int count = 0;
  if (taken.empty() || array == nullptr || context->PreviewDelegatePartitioning == nullptr ||
      context->PreviewDelegatePartitioning(context, array.get(), &params, &count) != kTfLiteOk || params == nullptr) {
    return {taken};
  }
  std::vector<std::vector<int>> partitions;
  for (int i = 0; i < count; ++i) partitions.push_back(IntArrayVector(params[i].nodes_to_replace));
  return partitions;
}

void DropWeightless(TfLiteContext* context, std::vector<NodeReport>* rows) {
  std::map<int, NodeReport*> by_node;
  for (NodeReport& row : *rows) by_node[row.node] = &row;
  for (const std::vector<int>& partition : PreviewPartitions(context, *rows)) {
    const bool keep = std::any_of(partition.begin(), partition.end(),
                                  [&](int node) { return by_node.count(node) > 0 && by_node[node]->has_weights; });
    if (keep) continue;
    for (const int node : partition) {
      if (by_node.count(node) == 0) continue;
      by_node[node]->taken = false;
      by_node[node]->reason = "no convolution or fully-connected layer stands beside it, so TFLite is as fast";
    }
  }
}

}  // namespace

Result<std::vector<NodeReport>> PartitionModel(ModelView* view, LayerCache* cache) {
  Result<std::vector<NodeRef>> nodes = ListNodes(view->context);
  if (!nodes.ok()) return nodes.status();
  FindDequantized(*nodes, view);
  std::vector<NodeReport> rows;
  for (const NodeRef& node : *nodes) {
    const Status status = CanRun(*view, node, cache);
    NodeReport row;
    row.node = node.index;
    row.name = NodeName(view->context, node);
    row.op = OpName(*node.registration);
    row.taken = status.ok();
    row.has_weights = HasWeights(*node.registration);
    row.reason = status.message();
    rows.push_back(std::move(row));
  }
  DropWeightless(view->context, &rows);
  return rows;
}

}  // namespace mcpruner
