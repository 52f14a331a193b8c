#include "delegate/tflite/lower/graph_tensors.h"

#include <utility>

#include "delegate/graph/shapes.h"
#include "delegate/tflite/parse/rank_map.h"

namespace mcpruner {

int GraphTensors::AddTensor(const std::string& name, const Shape& shape) {
  Tensor tensor;
  tensor.name = name;
  tensor.shape = shape;
  built_.graph.tensors.push_back(std::move(tensor));
  return static_cast<int>(built_.graph.tensors.size()) - 1;
}

int GraphTensors::AddConstant(const std::shared_ptr<const std::vector<float>>& elements, const Shape& shape) {
  const int index = AddTensor("", shape);
  built_.graph.tensor(index).data = elements;
  return index;
}

Result<Value> GraphTensors::Find(const Operand& operand) {
  if (operand.constant != nullptr) return Value{operand.constant_dims, -1, operand.constant};
  if (const auto found = tensors_.find(operand.tensor); found != tensors_.end()) return found->second;
  const Dims dims = dims_of_(operand.tensor);
  const Result<Shape> shape = MapDims(dims);
  if (!shape.ok()) return shape.status();
  const int index = AddTensor("", *shape);
  built_.graph.inputs.push_back(index);
  built_.inputs.push_back(operand.tensor);
  return tensors_.emplace(operand.tensor, Value{dims, index, nullptr}).first->second;
}

Result<int> GraphTensors::As(const Value& value, const Shape& wanted, const std::string& name) {
  if (value.constant != nullptr) return AddConstant(value.constant, wanted);
  if (shape(value.index) == wanted) return value.index;
  const int source = BeforeReshapes(value.index);
  if (shape(source) == wanted) return source;
  return AppendReshape(source, wanted, name);
}

int GraphTensors::BeforeReshapes(int index) const {
  const std::vector<Op>& ops = built_.graph.ops;
  for (auto op = ops.rbegin(); op != ops.rend(); ++op) {
    if (op->output == index && op->type == OpType::kReshape) index = op->inputs[0];
  }
  return index;
}

Result<int> GraphTensors::Append(Op op) {
  op.output = AddTensor(op.name, Shape());
  const Result<Shape> made = OutputShape(built_.graph, op);
  if (!made.ok()) return made.status();
  const int output = op.output;
  built_.graph.tensor(output).shape = *made;
  built_.graph.ops.push_back(std::move(op));
  return output;
}

Result<int> GraphTensors::AppendReshape(int input, const Shape& to, const std::string& name) {
  Op op;
  op.type = OpType::kReshape;
  op.name = name;
  op.inputs = {input};
  op.output = AddTensor(name, to);
  MCPRUNER_RETURN_IF_ERROR(OutputShape(built_.graph, op).status());
  const int output = op.output;
  built_.graph.ops.push_back(std::move(op));
  return output;
}

Status GraphTensors::Define(int number, const Value& value, const std::string& name) {
  const Result<Shape> mapped = MapDims(value.dims);
  if (!mapped.ok()) return mapped.status();
  const Result<int> index = As(value, *mapped, name);
  if (!index.ok()) return index.status();
  tensors_[number] = Value{value.dims, *index, nullptr};
  return Status::Ok();
}

Result<BuiltGraph> GraphTensors::Finish(const std::vector<int>& outputs) {
  for (const int output : outputs) {
    const auto found = tensors_.find(output);
    if (found == tensors_.end()) {
      return Status::Error("no node of the partition computes tensor " + std::to_string(output));
    }
    built_.graph.outputs.push_back(found->second.index);
    built_.output_dims.push_back(found->second.dims);
  }
  return std::move(built_);
}

}  // namespace mcpruner
