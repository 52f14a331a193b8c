#include "delegate/tflite/run/partition.h"

#include <algorithm>
#include <map>

#include "delegate/tflite/abi/builtin_params.h"
#include "delegate/tflite/abi/int_array.h"
#include "delegate/tflite/lower/graph_builder.h"
#include "delegate/tflite/parse/node_plan.h"

namespace mcpruner {
namespace {

constexpr char kNothingPacked[] =
    "no layer of its partition is packed, and TFLite runs dense layers as fast (backend cpu takes it)";

bool HasWeights(const TfLiteRegistration& registration) {
  const int32_t code = registration.builtin_code;
  return IsSparseOp(registration) || code == kTfLiteBuiltinConv2d || code == kTfLiteBuiltinDepthwiseConv2d ||
         code == kTfLiteBuiltinFullyConnected || code == kTfLiteBuiltinTransposeConv;
}

// An older runtime undoes all delegates when it is resized and applies them again, but tensors keep the delegate that
// made them, and it refuses to give them to another one.
bool IsAnothers(const ModelView& view, const NodeRef& node) {
  const TfLiteTensor* output = TensorAt(view.context, OutputIndex(node, 0));
  return node.registration->builtin_code == kTfLiteBuiltinDelegate ||
         (output != nullptr && output->delegate != nullptr && output->delegate != view.delegate);
}

Status CanRun(const ModelView& view, const NodeRef& node, LayerCache* cache) {
  if (IsSparseOp(*node.registration)) return Status::Ok();
  if (IsAnothers(view, node)) return Status::Error("another delegate has taken it");
  const Result<std::vector<NodePlan>> plans = ParseNode(view, node, cache);
  if (!plans.ok()) return plans.status();
  const auto dims_of = [&view](int tensor) {
    const TfLiteTensor* t = TensorAt(view.context, tensor);
    return t != nullptr ? TensorDims(*t) : Dims();
  };
  std::vector<int> outputs;
  for (const NodePlan& plan : *plans) outputs.push_back(plan.output);
  return BuildGraph(*plans, outputs, dims_of).status();
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

// Returns the partitions that the runtime would make of the taken nodes, or all of them as one where it cannot tell.
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

// Returns why TFLite runs a partition as fast, or null where the delegate is faster or was asked for.
const char* WhyLeave(const std::vector<NodeReport*>& partition, BackendChoice backend) {
  const auto any = [&](bool NodeReport::* flag) {
    return std::any_of(partition.begin(), partition.end(), [=](const NodeReport* row) { return row->*flag; });
  };
  if (!any(&NodeReport::has_weights)) {
    return "no convolution or fully-connected layer stands beside it, so TFLite is as fast";
  }
  if (backend == BackendChoice::kAuto && !any(&NodeReport::packed)) {
    return kNothingPacked;
  }
  return nullptr;
}

void DropSlower(TfLiteContext* context, BackendChoice backend, std::vector<NodeReport>* rows) {
  std::map<int, NodeReport*> by_node;
  for (NodeReport& row : *rows) by_node[row.node] = &row;
  for (const std::vector<int>& nodes : PreviewPartitions(context, *rows)) {
    std::vector<NodeReport*> partition;
    for (const int node : nodes) {
      if (by_node.count(node) > 0) partition.push_back(by_node[node]);
    }
    const char* const reason = WhyLeave(partition, backend);
    for (NodeReport* row : partition) {
      if (reason == nullptr) break;
      row->taken = false;
      row->reason = reason;
    }
  }
}

}  // namespace

Result<std::vector<NodeReport>> PartitionModel(ModelView* view, LayerCache* cache, BackendChoice backend) {
  Result<std::vector<NodeRef>> nodes = ListNodes(view->context);
  if (!nodes.ok()) return nodes.status();
  FindDequantized(*nodes, view);
  // Parsing packs weights, so a model that will be left must not load more slowly for it.
  const bool worth_it =
      backend != BackendChoice::kAuto ||
      std::any_of(nodes->begin(), nodes->end(), [](const NodeRef& node) { return IsSparseOp(*node.registration); });
  std::vector<NodeReport> rows;
  for (const NodeRef& node : *nodes) {
    const Status status = worth_it ? CanRun(*view, node, cache) : Status::Error(kNothingPacked);
    NodeReport row;
    row.node = node.index;
    row.name = NodeName(view->context, node);
    row.op = OpName(*node.registration);
    row.taken = status.ok();
    row.has_weights = HasWeights(*node.registration);
    row.packed = IsSparseOp(*node.registration);
    row.reason = status.message();
    rows.push_back(std::move(row));
  }
  DropSlower(view->context, backend, &rows);
  return rows;
}

}  // namespace mcpruner
