// GraphTensors is the graph under construction: its tensors and ops, and which of its tensors stands for which of
// TFLite's.
//
// Ops are appended one by one (lower.h). Each wants its operands in four dimensions of its choice, which As returns.
// Since elements keep their order, that is the tensor itself, a kReshape of it, or a constant under another shape.

#ifndef MCPRUNER_DELEGATE_TFLITE_LOWER_GRAPH_TENSORS_H_
#define MCPRUNER_DELEGATE_TFLITE_LOWER_GRAPH_TENSORS_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "delegate/graph/graph.h"
#include "delegate/tflite/lower/graph_builder.h"
#include "delegate/tflite/parse/node_plan.h"

namespace mcpruner {

// A Value is a tensor as TFLite has it.
struct Value {
  Dims dims;       // in TFLite's rank
  int index = -1;  // in the graph, under any shape; -1 for a constant, which As adds
  std::shared_ptr<const std::vector<float>> constant;
};

class GraphTensors {
 public:
  // `dims_of` returns the sizes of a tensor that no op computes.
  explicit GraphTensors(const std::function<Dims(int)>& dims_of) : dims_of_(dims_of) {}

  // Finds an operand. What is computed outside becomes a graph input when it is met first.
  Result<Value> Find(const Operand& operand);
  // Returns the number of a tensor with the elements of `value` and this shape. `name` is that of the op which wants
  // it. A reshape of a reshape becomes a reshape of the first tensor, or that tensor itself; fusion drops what nobody
  // reads then.
  Result<int> As(const Value& value, const Shape& shape, const std::string& name);
  // Appends `op` with an output of the shape that it makes, and returns the number of that output.
  Result<int> Append(Op op);
  // Appends a reshape to a shape of as many elements, and returns the number of its output.
  Result<int> AppendReshape(int input, const Shape& shape, const std::string& name);
  // Returns the tensor that `index` is a reshape of, through all reshapes of reshapes; `index` itself if it is none.
  int BeforeReshapes(int index) const;
  int AddConstant(const std::shared_ptr<const std::vector<float>>& elements, const Shape& shape);
  // Makes `value` TFLite's tensor `number`, from here on under the shape that the rank map gives it.
  Status Define(int number, const Value& value, const std::string& name);

  const Shape& shape(int index) const { return built_.graph.tensor(index).shape; }
  // Returns the graph, with these of TFLite's tensors as its outputs.
  Result<BuiltGraph> Finish(const std::vector<int>& outputs);

 private:
  int AddTensor(const std::string& name, const Shape& shape);

  const std::function<Dims(int)>& dims_of_;
  BuiltGraph built_;
  std::map<int, Value> tensors_;  // by TFLite's number
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_LOWER_GRAPH_TENSORS_H_
