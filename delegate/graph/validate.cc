// ValidateGraph checks the wiring of a graph here; shapes.cc has each op's own rules.

#include <string>
#include <vector>

#include "delegate/graph/activation_range.h"
#include "delegate/graph/graph.h"
#include "delegate/graph/shapes.h"

namespace mcpruner {
namespace {

bool IsTensor(const Graph& graph, int i) { return i >= 0 && static_cast<size_t>(i) < graph.tensors.size(); }

Status CheckTensor(const Tensor& tensor) {
  if (tensor.type != DataType::kFloat32) return Status::Error("expected float32");
  MCPRUNER_RETURN_IF_ERROR(CheckShape(tensor.shape));
  if (tensor.data != nullptr && static_cast<int64_t>(tensor.data->size()) != tensor.shape.size()) {
    return Status::Error("expected " + std::to_string(tensor.shape.size()) + " constant elements, got " +
                         std::to_string(tensor.data->size()));
  }
  return Status::Ok();
}

Status CheckEpilogue(const Op& op, const Shape& out) {
  if (!op.epilogue.has_value()) return Status::Ok();
  if (!TakesEpilogue(op.type)) return Status::Error("this type of op takes no epilogue; use a Unary op after it");
  const Epilogue& epilogue = *op.epilogue;
  if (ActivationOf(epilogue.unary.function) != Activation::kNone) {
    return Status::Error("an epilogue that clamps is an activation");
  }
  if (epilogue.alphas == nullptr) return Status::Ok();
  if (epilogue.unary.function == UnaryFunction::kLeakyRelu && epilogue.alphas->size() == static_cast<size_t>(out.c)) {
    return Status::Ok();
  }
  return Status::Error("expected as many alphas as channels, and a LeakyRelu, got " +
                       std::to_string(epilogue.alphas->size()) + " for " + std::to_string(out.c) + " channels");
}

// known[i] says whether tensor i has its elements before `op` runs.
Status CheckOp(const Graph& graph, const Op& op, const std::vector<bool>& known) {
  for (const int i : op.inputs) {
    if (!IsTensor(graph, i)) return Status::Error("input " + std::to_string(i) + " is no tensor of the graph");
    if (!known[static_cast<size_t>(i)]) {
      return Status::Error("input " + std::to_string(i) + " is used before it is computed");
    }
  }
  if (!IsTensor(graph, op.output)) {
    return Status::Error("output " + std::to_string(op.output) + " is no tensor of the graph");
  }
  if (known[static_cast<size_t>(op.output)]) {
    return Status::Error("output " + std::to_string(op.output) + " is a constant, an input or already computed");
  }
  if (op.activation != Activation::kNone && !TakesActivation(op.type)) {
    return Status::Error("this type of op takes no activation; use a Unary op after it");
  }
  const Result<Shape> expected = OutputShape(graph, op);
  if (!expected.ok()) return expected.status();
  const Shape& got = graph.tensor(op.output).shape;
  if (got == *expected) return CheckEpilogue(op, got);
  return Status::Error("expected the output shape " + ShapeText(*expected) + ", got " + ShapeText(got));
}

}  // namespace

Status ValidateGraph(const Graph& graph) {
  std::vector<bool> known;
  for (size_t i = 0; i < graph.tensors.size(); ++i) {
    const Tensor& tensor = graph.tensors[i];
    if (const Status status = CheckTensor(tensor); !status.ok()) {
      return Status::Error("tensor " + std::to_string(i) + " ('" + tensor.name + "'): " + status.message());
    }
    known.push_back(tensor.data != nullptr);
  }
  for (const int i : graph.inputs) {
    if (!IsTensor(graph, i) || known[static_cast<size_t>(i)]) {
      return Status::Error("graph input " + std::to_string(i) + " is no tensor, a constant or given twice");
    }
    known[static_cast<size_t>(i)] = true;
  }
  for (size_t k = 0; k < graph.ops.size(); ++k) {
    const Op& op = graph.ops[k];
    if (const Status status = CheckOp(graph, op, known); !status.ok()) {
      return Status::Error("op " + std::to_string(k) + " (" + OpTypeName(op.type) + " '" + op.name +
                           "'): " + status.message());
    }
    known[static_cast<size_t>(op.output)] = true;
  }
  for (const int i : graph.outputs) {
    if (!IsTensor(graph, i) || !known[static_cast<size_t>(i)]) {
      return Status::Error("graph output " + std::to_string(i) + " is computed by no op");
    }
  }
  return Status::Ok();
}

}  // namespace mcpruner
