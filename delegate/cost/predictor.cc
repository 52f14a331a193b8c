#include "delegate/cost/predictor.h"

#include <algorithm>

#include "delegate/cost/amounts.h"

namespace mcpruner::cost {
namespace {

#define MCPRUNER_COUNT(name, count) [[maybe_unused]] constexpr double k##name = count;
#include "format/costs.inc"

}  // namespace

Predictor::Predictor(const Subgraph& graph, const CostTable& table)
    : graph_(graph), table_(table), folds_(FindFolds(graph)) {
  for (size_t i = 0; i < graph.operators.size(); ++i) {
    for (const int output : graph.operators[i].outputs) writers_[output] = i;
    for (const int input : graph.operators[i].inputs) readers_[input].push_back(i);
  }
}

bool Predictor::IsWrittenIn(int tensor, const std::set<size_t>& partition) const {
  const auto writer = writers_.find(tensor);
  return writer != writers_.end() && partition.count(writer->second) > 0;
}

bool Predictor::IsReadOutside(int tensor, const std::set<size_t>& partition) const {
  if (graph_.outputs.count(tensor) > 0) return true;
  const auto readers = readers_.find(tensor);
  return readers != readers_.end() && std::any_of(readers->second.begin(), readers->second.end(),
                                                  [&](size_t reader) { return partition.count(reader) == 0; });
}

Times Predictor::OperatorTimes(size_t op, const std::set<size_t>& partition) const {
  const auto host = folds_.find(op);
  const bool folded = host != folds_.end() && partition.count(host->second) > 0;
  return {graph_.operators[op].tflite_ns, folded ? 0.0 : graph_.operators[op].plugin_ns};
}

Times Predictor::PartitionTimes(const std::set<size_t>& partition) const {
  Times sum{0.0, table_.Time(PartitionAmounts())};
  std::set<int> edges;
  for (const size_t op : partition) {
    const Times times = OperatorTimes(op, partition);
    sum.tflite_ns += times.tflite_ns;
    sum.plugin_ns += times.plugin_ns;
    for (const int input : graph_.operators[op].inputs) {
      if (!IsWrittenIn(input, partition)) edges.insert(input);
    }
    for (const int output : graph_.operators[op].outputs) {
      if (IsReadOutside(output, partition)) edges.insert(output);
    }
  }
  for (const int tensor : edges) {
    const auto elements = graph_.elements.find(tensor);  // constants pass no edge
    if (elements != graph_.elements.end()) sum.plugin_ns += table_.Time(EdgeAmounts(elements->second));
  }
  return sum;
}

bool Predictor::IsRim(size_t op, const std::set<size_t>& partition) const {
  const Operator& o = graph_.operators[op];
  const auto from_inside = [&](int tensor) { return IsWrittenIn(tensor, partition); };
  const auto read_inside = [&](int tensor) {
    const auto readers = readers_.find(tensor);
    return readers != readers_.end() && std::any_of(readers->second.begin(), readers->second.end(),
                                                    [&](size_t reader) { return partition.count(reader) > 0; });
  };
  return std::none_of(o.inputs.begin(), o.inputs.end(), from_inside) ||
         std::none_of(o.outputs.begin(), o.outputs.end(), read_inside);
}

std::set<size_t> Predictor::SlowRim(std::set<size_t> partition) const {
  std::set<size_t> slow;
  for (bool again = true; again;) {
    again = false;
    const double with = PartitionTimes(partition).plugin_ns;
    for (const size_t op : std::set<size_t>(partition)) {
      if (graph_.operators[op].packed || !IsRim(op, partition)) continue;
      partition.erase(op);
      // What it costs here beside the others, edges included, against what it costs in TFLite.
      again = with - PartitionTimes(partition).plugin_ns > kWorthIt * graph_.operators[op].tflite_ns;
      if (again) {
        slow.insert(op);
        break;
      }
      partition.insert(op);
    }
  }
  return slow;
}

}  // namespace mcpruner::cost
