#include "delegate/opencl/plan/legalize.h"

#include <utility>

namespace mcpruner::opencl {
namespace {

// Makes a reshape of op's input to [rows, 1, 1, channels], and a tensor for it.
Op ReshapeInput(const Op& op, int channels, Graph* graph) {
  Tensor tensor;
  tensor.name = graph->tensor(op.inputs[0]).name;
  tensor.shape = {graph->tensor(op.output).shape.n, 1, 1, channels};
  graph->tensors.push_back(std::move(tensor));
  Op reshape;
  reshape.type = OpType::kReshape;
  reshape.name = op.name;
  reshape.inputs = {op.inputs[0]};
  reshape.output = static_cast<int>(graph->tensors.size()) - 1;
  return reshape;
}

}  // namespace

void Legalize(Graph* graph) {
  std::vector<Op> ops;
  for (Op& op : graph->ops) {
    if (op.type == OpType::kFullyConnected) {
      const int channels = std::get<FullyConnectedParams>(op.params).layer->in_channels;
      if (graph->tensor(op.inputs[0]).shape.n != graph->tensor(op.output).shape.n) {
        ops.push_back(ReshapeInput(op, channels, graph));
        op.inputs[0] = ops.back().output;
      }
    }
    ops.push_back(std::move(op));
  }
  graph->ops = std::move(ops);
}

}  // namespace mcpruner::opencl
