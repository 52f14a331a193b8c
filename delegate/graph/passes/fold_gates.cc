#include "delegate/graph/passes/fold_gates.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "delegate/graph/passes/lifetimes.h"
#include "delegate/graph/passes/rewriting.h"

namespace mcpruner {
namespace {

// Walks up the chain of ops that ends in a tensor. Each step is taken only where the op is of the wanted kind and
// nobody else reads its result.
class Chain {
 public:
  Chain(const Graph& graph, const std::vector<Op*>& producers, const std::vector<int>& readers, int tensor)
      : graph_(graph), producers_(producers), readers_(readers), tensor_(tensor) {}

  bool Unary(UnaryFunction function) {
    Op* const op = Producer(OpType::kUnary);
    if (op == nullptr || std::get<UnaryParams>(op->params).function != function) return false;
    return Step(op, op->inputs[0]);
  }

  bool AddOne() {
    Op* const op = Producer(OpType::kAdd);
    if (op == nullptr || op->activation != Activation::kNone) return false;
    for (const size_t side : {0, 1}) {
      if (IsOne(op->inputs[1 - side]) && graph_.tensor(op->inputs[side]).shape == graph_.tensor(op->output).shape) {
        return Step(op, op->inputs[side]);
      }
    }
    return false;
  }

  int tensor() const { return tensor_; }
  const std::vector<Op*>& ops() const { return ops_; }

 private:
  Op* Producer(OpType type) const {
    Op* const op = producers_[static_cast<size_t>(tensor_)];
    return op != nullptr && op->type == type && readers_[static_cast<size_t>(tensor_)] == 1 ? op : nullptr;
  }

  bool Step(Op* op, int input) {
    ops_.push_back(op);
    tensor_ = input;
    return true;
  }

  bool IsOne(int tensor) const {
    const auto& data = graph_.tensor(tensor).data;
    return data != nullptr && std::all_of(data->begin(), data->end(), [](float value) { return value == 1.0f; });
  }

  const Graph& graph_;
  const std::vector<Op*>& producers_;
  const std::vector<int>& readers_;
  int tensor_;
  std::vector<Op*> ops_;
};

struct Gate {
  UnaryFunction activation;  // x times the gate
  std::vector<Op*> ops;      // what it is made of
};

// Returns the gate of x that the chain ends in.
std::optional<Gate> FindGate(const Chain& end, int x) {
  Chain silu = end, mish = end;
  if (silu.Unary(UnaryFunction::kLogistic) && silu.tensor() == x) return Gate{UnaryFunction::kSilu, silu.ops()};
  if (mish.Unary(UnaryFunction::kTanh) && mish.Unary(UnaryFunction::kLog) && mish.AddOne() &&
      mish.Unary(UnaryFunction::kExp) && mish.tensor() == x) {
    return Gate{UnaryFunction::kMish, mish.ops()};
  }
  return std::nullopt;
}

}  // namespace

void FoldGates(Graph* graph) {
  const std::vector<int> readers = CountReaders(*graph);
  const std::vector<Op*> producers = FindProducers(graph);
  for (Op& op : graph->ops) {
    if (op.type != OpType::kMul || op.activation != Activation::kNone) continue;
    for (const size_t side : {0, 1}) {
      const int x = op.inputs[side];
      const std::optional<Gate> gate = FindGate(Chain(*graph, producers, readers, op.inputs[1 - side]), x);
      if (!gate.has_value()) continue;
      for (Op* folded : gate->ops) folded->output = -1;
      op.type = OpType::kUnary;
      op.inputs = {x};
      op.params = UnaryParams{gate->activation};
      break;
    }
  }
  EraseFolded(graph);
}

}  // namespace mcpruner
