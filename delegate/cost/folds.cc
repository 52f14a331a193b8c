#include <algorithm>
#include <utility>

#include "delegate/cost/subgraph.h"

namespace mcpruner::cost {
namespace {

bool IsConv(const std::string& name) { return name == "CONV_2D" || name == "McprunerSparseConv2D"; }

class FoldFinder {
 public:
  explicit FoldFinder(const Subgraph& graph) : graph_(graph) {
    for (const int output : graph.outputs) ++uses_[output];
    for (size_t i = 0; i < graph.operators.size(); ++i) {
      for (const int input : graph.operators[i].inputs) ++uses_[input];
      for (const int output : graph.operators[i].outputs) writers_[output] = i;
    }
  }

  std::map<size_t, size_t> Find() {
    for (size_t i = 0; i < graph_.operators.size(); ++i) {
      const Operator& op = graph_.operators[i];
      if (IsConv(op.name) || op.name == "DEPTHWISE_CONV_2D") FoldPads(i);
      if (op.name == "ADD") FoldSum(i);
      if (op.name == "MUL" && op.inputs.size() == 2) {
        FoldGate(i, op.inputs[0], op.inputs[1]);
        FoldGate(i, op.inputs[1], op.inputs[0]);
      }
    }
    return std::move(folds_);
  }

 private:
  // Returns the operators of these names, each the only reader of the next one's result, that end in a tensor.
  std::vector<size_t> Chain(int tensor, const std::vector<std::string>& names) const {
    std::vector<size_t> chain;
    for (const std::string& name : names) {
      const auto writer = writers_.find(tensor);
      if (writer == writers_.end() || uses_.at(tensor) != 1) break;
      const Operator& op = graph_.operators[writer->second];
      if (op.name != name) break;
      chain.push_back(writer->second);
      const auto computed =
          std::find_if(op.inputs.begin(), op.inputs.end(), [&](int input) { return graph_.elements.count(input) > 0; });
      tensor = computed == op.inputs.end() ? -1 : *computed;
    }
    return chain;
  }

  void FoldPads(size_t conv) {
    const Operator& op = graph_.operators[conv];
    for (const char* const name : {"PAD", "PADV2"}) {
      for (const size_t pad : Chain(op.inputs.empty() ? -1 : op.inputs[0], {name})) folds_[pad] = conv;
    }
  }

  // The convolution adds to what it stores.
  void FoldSum(size_t add) {
    for (const int input : graph_.operators[add].inputs) {
      for (const char* const name : {"CONV_2D", "McprunerSparseConv2D"}) {
        for (const size_t conv : Chain(input, {name})) folds_[add] = conv;
      }
    }
  }

  // SiLU and Mish are one function, which costs what its exponential does.
  void FoldGate(size_t mul, int x, int gate) {
    for (const std::vector<std::string>& names :
         {std::vector<std::string>{"LOGISTIC"}, std::vector<std::string>{"TANH", "LOG", "ADD", "EXP"}}) {
      std::vector<size_t> chain = Chain(gate, names);
      if (chain.size() != names.size()) continue;
      const size_t first = chain.back();
      const std::vector<int>& inputs = graph_.operators[first].inputs;
      if (std::find(inputs.begin(), inputs.end(), x) == inputs.end()) continue;
      chain.back() = mul;
      for (const size_t op : chain) folds_[op] = first;
    }
  }

  const Subgraph& graph_;
  std::map<int, int> uses_;
  std::map<int, size_t> writers_;
  std::map<size_t, size_t> folds_;
};

}  // namespace

std::map<size_t, size_t> FindFolds(const Subgraph& graph) { return FoldFinder(graph).Find(); }

}  // namespace mcpruner::cost
