#include "delegate/tflite/lower/graph_builder.h"

#include <optional>
#include <string>
#include <vector>

#include "delegate/tflite/lower/graph_tensors.h"
#include "delegate/tflite/lower/lower.h"

namespace mcpruner {
namespace {

Result<Value> Lower(const NodePlan& plan, const std::vector<Value>& operands, GraphTensors* graph) {
  const Value& x = operands[0];
  if (std::holds_alternative<PixelBlocks>(plan.deferred)) return LowerTransposedConv(plan, x, graph);
  switch (plan.type) {
    case OpType::kConv:
    case OpType::kDepthwiseConv:
    case OpType::kMaxPool:
    case OpType::kAveragePool:
    case OpType::kResizeBilinear:
    case OpType::kResizeNearest:
    case OpType::kDepthToSpace:
    case OpType::kSpaceToDepth:
      return LowerWindow(plan, x, graph);
    case OpType::kFullyConnected:
      return LowerFullyConnected(plan, x, graph);
#define MCPRUNER_BINARY(name, ...) case OpType::k##name:
#include "delegate/graph/binary_functions.inc"
#undef MCPRUNER_BINARY
      return LowerBinary(plan, x, operands[1], graph);
#define MCPRUNER_REDUCE(name) case OpType::k##name:
#include "delegate/graph/reduce_functions.inc"
#undef MCPRUNER_REDUCE
      return LowerReduce(plan, x, graph);
    case OpType::kPad:
    case OpType::kMirrorPad:
      return LowerPad(plan, x, graph);
    case OpType::kConcat:
      return LowerConcat(plan, operands, graph);
    case OpType::kUnary:
    case OpType::kSoftmax:
      return LowerUnary(plan, x, graph);
    case OpType::kTranspose:
      return LowerTranspose(plan, x, graph);
    case OpType::kNormalize:
      return LowerL2Normalization(plan, x, graph);
    case OpType::kShuffle:
      return Status::Error("no operator of TFLite is one");
    case OpType::kReshape:
      return LowerReshape(plan, x, graph);
    case OpType::kStridedSlice:
      return std::holds_alternative<GatheredAxis>(plan.deferred) ? LowerGather(plan, x, graph)
                                                                 : LowerSlice(plan, x, graph);
  }
  return Status::Error("unknown op type");
}

Status Named(const NodePlan& plan, const Status& status) {
  if (status.ok()) return status;
  return Status::Error(std::string(OpTypeName(plan.type)) + " '" + plan.name + "': " + status.message());
}

Status AddNode(const NodePlan& plan, GraphTensors* graph) {
  std::vector<Value> operands;
  for (const Operand& operand : plan.inputs) {
    Result<Value> value = graph->Find(operand);
    if (!value.ok()) return value.status();
    operands.push_back(std::move(*value));
  }
  const Result<Value> output = Lower(plan, operands, graph);
  if (!output.ok()) return output.status();
  return graph->Define(plan.output, *output, plan.name);
}

// Adds a normalization as one op, or one op after the other where there is none for its sizes.
Status AddNormalization(const Normalization& norm, const std::vector<NodePlan>& nodes, GraphTensors* graph) {
  const NodePlan& last = nodes[norm.plans.back()];
  const Result<std::optional<Value>> made = LowerNormalization(norm, last, graph);
  if (!made.ok()) return Named(last, made.status());
  if (made->has_value()) return Named(last, graph->Define(last.output, **made, last.name));
  for (const size_t plan : norm.plans) MCPRUNER_RETURN_IF_ERROR(Named(nodes[plan], AddNode(nodes[plan], graph)));
  return Status::Ok();
}

}  // namespace

Op OpOf(const NodePlan& plan) {
  Op op;
  op.type = plan.type;
  op.name = plan.name;
  op.activation = plan.activation;
  op.params = plan.params;
  return op;
}

Result<BuiltGraph> BuildGraph(const std::vector<NodePlan>& nodes, const std::vector<int>& outputs,
                              const std::function<Dims(int)>& dims_of) {
  GraphTensors graph(dims_of);
  const std::vector<Normalization> norms = FindNormalizations(nodes, outputs);
  std::vector<const Normalization*> norm_of(nodes.size(), nullptr);
  for (const Normalization& norm : norms) {
    for (const size_t plan : norm.plans) norm_of[plan] = &norm;
  }
  for (size_t i = 0; i < nodes.size(); ++i) {
    const Normalization* const norm = norm_of[i];
    if (norm == nullptr) {
      MCPRUNER_RETURN_IF_ERROR(Named(nodes[i], AddNode(nodes[i], &graph)));
    } else if (i == norm->plans.back()) {  // all that it reads is there
      MCPRUNER_RETURN_IF_ERROR(AddNormalization(*norm, nodes, &graph));
    }
  }
  return graph.Finish(outputs);
}

}  // namespace mcpruner
