#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "delegate/cost/subgraph.h"

namespace mcpruner::cost {
namespace {

bool IsConv(const std::string& name) { return name == "CONV_2D" || name == "McprunerSparseConv2D"; }

bool IsActivation(const std::string& name) { return name == "RELU" || name == "RELU_N1_TO_1" || name == "RELU6"; }

// Returns the operators behind which a function costs nothing: they apply it to what they store.
std::vector<std::string> AppliedBy(const std::string& function) {
  std::vector<std::string> names{"CONV_2D", "McprunerSparseConv2D", "DEPTHWISE_CONV_2D", "ADD"};
  if (function == "LEAKY_RELU" || function == "PRELU" || function == "HARD_SWISH") return names;
  if (!IsActivation(function)) return {};
  names.insert(names.end(), {"FULLY_CONNECTED", "McprunerSparseFullyConnected", "SUB", "MUL", "DIV"});
  return names;
}

bool MayBeOfNormalization(const std::string& name) {
  constexpr std::string_view kNames[] = {
      "SQUARED_DIFFERENCE", "MEAN", "ADD", "SUB", "MUL", "DIV", "NEG", "RSQRT", "SQRT"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

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
      FoldFunction(i);
      if (op.name == "RESHAPE") FoldShuffle(i);
      if (op.name == "SQUARED_DIFFERENCE" && op.inputs.size() == 2) {
        FoldNormalization(op.inputs[0], op.inputs[1]);
        FoldNormalization(op.inputs[1], op.inputs[0]);
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

  // A sum takes an activation, and other functions where it is a convolution that adds.
  void FoldFunction(size_t function) {
    const Operator& op = graph_.operators[function];
    for (const std::string& name : AppliedBy(op.name)) {
      for (const size_t host : Chain(op.inputs.empty() ? -1 : op.inputs[0], {name})) {
        if (name != "ADD" || folds_.count(host) > 0 || IsActivation(op.name)) folds_[function] = host;
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

  // A reshape, a transpose and a reshape are one copy.
  void FoldShuffle(size_t last) {
    const Operator& op = graph_.operators[last];
    const std::vector<size_t> moved = Chain(op.inputs.empty() ? -1 : op.inputs[0], {"TRANSPOSE", "RESHAPE"});
    if (moved.size() != 2) return;
    for (const size_t each : moved) folds_[each] = last;
  }

  // Folds the operators that follow from x and its mean alone into the last of them.
  void FoldNormalization(int x, int mean) {
    const auto first = writers_.find(mean);
    if (first == writers_.end() || graph_.operators[first->second].name != "MEAN") return;
    const std::vector<int>& averaged = graph_.operators[first->second].inputs;
    if (averaged.empty() || averaged[0] != x) return;
    const std::vector<size_t> members = MembersOfNormalization(x, mean);
    std::map<int, int> reads;
    std::vector<int> inner{mean};
    bool has_root = false;
    for (const size_t member : members) {
      const Operator& op = graph_.operators[member];
      for (const int input : op.inputs) ++reads[input];
      has_root = has_root || op.name == "RSQRT" || op.name == "SQRT";
      if (member != members.back()) inner.insert(inner.end(), op.outputs.begin(), op.outputs.end());
    }
    const auto is_read_outside = [&](int tensor) { return uses_[tensor] != reads[tensor]; };
    if (!has_root || std::any_of(inner.begin(), inner.end(), is_read_outside)) return;
    for (const size_t member : members) {
      if (member != members.back()) folds_[member] = members.back();
    }
    FoldViews(x, uses_[x] == reads[x] + 1, members.back());
  }

  // Returns the operators of which each reads nothing computed but x, its mean, and what follows from these.
  std::vector<size_t> MembersOfNormalization(int x, int mean) const {
    std::set<int> terms{mean};
    std::vector<size_t> members;
    for (size_t i = 0; i < graph_.operators.size(); ++i) {
      const Operator& op = graph_.operators[i];
      bool reads_term = false, reads_other = false;
      for (const int input : op.inputs) {
        reads_term = reads_term || terms.count(input) > 0;
        reads_other = reads_other || (graph_.elements.count(input) > 0 && input != x && terms.count(input) == 0);
      }
      if (!MayBeOfNormalization(op.name) || !reads_term || reads_other) continue;
      members.push_back(i);
      terms.insert(op.outputs.begin(), op.outputs.end());
    }
    return members;
  }

  // Folds the reshape before a normalization of x, if nothing else reads x, and the one behind it.
  void FoldViews(int x, bool x_is_inner, size_t last) {
    const std::vector<int>& made = graph_.operators[last].outputs;
    for (size_t i = 0; i < graph_.operators.size(); ++i) {
      const Operator& op = graph_.operators[i];
      if (op.name != "RESHAPE" || op.inputs.empty()) continue;
      const bool before = x_is_inner && std::count(op.outputs.begin(), op.outputs.end(), x) > 0;
      const bool behind = std::count(made.begin(), made.end(), op.inputs[0]) > 0 && uses_[op.inputs[0]] == 1;
      if (before || behind) folds_[i] = last;
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
