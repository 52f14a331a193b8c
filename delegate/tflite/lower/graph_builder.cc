#include "delegate/tflite/lower/graph_builder.h"

#include <string>
#include <vector>

#include "delegate/tflite/lower/graph_tensors.h"
#include "delegate/tflite/lower/lower.h"

namespace mcpruner {
namespace {

Result<Value> Lower(const NodePlan& plan, const std::vector<Value>& operands, GraphTensors* graph) {
  const Value& x = operands[0];
  switch (plan.type) {
    case OpType::kConv:
    case OpType::kDepthwiseConv:
    case OpType::kMaxPool:
    case OpType::kAveragePool:
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
      return LowerPad(plan, x, graph);
    case OpType::kConcat:
      return LowerConcat(plan, operands, graph);
    case OpType::kUnary:
    case OpType::kSoftmax:
      return LowerUnary(plan, x, graph);
    case OpType::kReshape:
      return LowerReshape(plan, x, graph);
    case OpType::kStridedSlice:
      return LowerSlice(plan, x, graph);
  }
  return Status::Error("unknown op type");
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
  for (const NodePlan& plan : nodes) {
    if (const Status status = AddNode(plan, &graph); !status.ok()) {
      return Status::Error(std::string(OpTypeName(plan.type)) + " '" + plan.name + "': " + status.message());
    }
  }
  return graph.Finish(outputs);
}

}  // namespace mcpruner
