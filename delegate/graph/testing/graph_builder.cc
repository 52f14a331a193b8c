#include "delegate/graph/testing/graph_builder.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "delegate/graph/shapes.h"

namespace mcpruner {

int GraphBuilder::AddTensor(const Shape& shape) {
  Tensor tensor;
  tensor.name = "t" + std::to_string(graph_.tensors.size());
  tensor.shape = shape;
  graph_.tensors.push_back(std::move(tensor));
  return static_cast<int>(graph_.tensors.size()) - 1;
}

int GraphBuilder::Input(const Shape& shape) {
  graph_.inputs.push_back(AddTensor(shape));
  return graph_.inputs.back();
}

int GraphBuilder::Constant(const Shape& shape, std::vector<float> data) {
  const int tensor = AddTensor(shape);
  graph_.tensor(tensor).data = std::make_shared<const std::vector<float>>(std::move(data));
  return tensor;
}

int GraphBuilder::Op(OpType type, std::vector<int> inputs, OpParams params, Activation activation) {
  struct Op op;
  op.type = type;
  op.inputs = std::move(inputs);
  op.params = std::move(params);
  op.activation = activation;
  const Result<Shape> shape = OutputShape(graph_, op);
  EXPECT_TRUE(shape.ok()) << OpTypeName(type) << ": " << shape.message();
  op.output = AddTensor(shape.ok() ? *shape : Shape{});
  op.name = graph_.tensor(op.output).name;
  graph_.ops.push_back(op);
  return op.output;
}

int GraphBuilder::Reshape(int x, const Shape& shape) {
  struct Op op;
  op.type = OpType::kReshape;
  op.inputs = {x};
  op.output = AddTensor(shape);
  op.name = graph_.tensor(op.output).name;
  graph_.ops.push_back(op);
  return op.output;
}

Graph GraphBuilder::Finish(std::vector<int> outputs) {
  graph_.outputs = std::move(outputs);
  const Status status = ValidateGraph(graph_);
  EXPECT_TRUE(status.ok()) << status.message();
  return graph_;
}

namespace {

bool SameBits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

std::vector<std::vector<float>> RunOnce(Executable& executable, const Graph& graph,
                                        const std::vector<std::vector<float>>& inputs) {
  std::vector<const float*> in;
  for (const std::vector<float>& x : inputs) in.push_back(x.data());
  std::vector<std::vector<float>> outputs;
  for (const int i : graph.outputs) outputs.emplace_back(static_cast<size_t>(graph.tensor(i).shape.size()));
  std::vector<float*> out;
  for (std::vector<float>& y : outputs) out.push_back(y.data());
  const Status status = executable.Run(in, out);
  EXPECT_TRUE(status.ok()) << status.message();
  return outputs;
}

}  // namespace

std::vector<std::vector<float>> RunPoisoned(Executable& executable, const Graph& graph,
                                            const std::vector<std::vector<float>>& inputs) {
  std::vector<std::vector<float>> first;
  for (const float poison : {std::numeric_limits<float>::quiet_NaN(), 1e30f}) {
    EXPECT_EQ(executable.FillMemory(poison).message(), "");
    std::vector<std::vector<float>> outputs = RunOnce(executable, graph, inputs);
    if (first.empty()) first = std::move(outputs);
    for (size_t i = 0; i < outputs.size(); ++i) {
      EXPECT_TRUE(SameBits(outputs[i], first[i])) << "output " << i << " depends on what its memory held before";
    }
  }
  return first;
}

std::vector<std::vector<float>> RunGraph(Backend& backend, const Graph& graph,
                                         const std::vector<std::vector<float>>& inputs) {
  auto executable = backend.Compile(graph);
  EXPECT_TRUE(executable.ok()) << executable.message();
  return executable.ok() ? RunPoisoned(**executable, graph, inputs) : std::vector<std::vector<float>>();
}

}  // namespace mcpruner
