// A Predictor says how long operators of a subgraph take together, as a partition of the plugin.
//
//     ── edge ── CONV_2D ── RELU ── McprunerSparseConv2D ── edge ──      plus what calling a partition costs
//
// It is what converter/tflite/predict.py does for the partitions that it expects.

#ifndef MCPRUNER_DELEGATE_COST_PREDICTOR_H_
#define MCPRUNER_DELEGATE_COST_PREDICTOR_H_

#include <cstddef>
#include <map>
#include <set>
#include <vector>

#include "delegate/cost/cost_table.h"
#include "delegate/cost/subgraph.h"

namespace mcpruner::cost {

// Times are nanoseconds, on the number of threads of the table.
struct Times {
  double tflite_ns = 0.0, plugin_ns = 0.0;
};

class Predictor {
 public:
  // Both must live as long as the predictor.
  Predictor(const Subgraph& graph, const CostTable& table);

  // Returns the times of one operator, as a member of a partition.
  Times OperatorTimes(size_t op, const std::set<size_t>& partition) const;
  // Returns the times of a partition, its edges and its call included.
  Times PartitionTimes(const std::set<size_t>& partition) const;
  // Returns the operators at the rim of a partition that run faster in TFLite than their edges let them run here. What
  // is left is a partition without them. Packed ones always stay.
  std::set<size_t> SlowRim(std::set<size_t> partition) const;

 private:
  bool IsRim(size_t op, const std::set<size_t>& partition) const;
  bool IsWrittenIn(int tensor, const std::set<size_t>& partition) const;
  // Returns whether an operator outside of the partition, or the caller, reads the tensor.
  bool IsReadOutside(int tensor, const std::set<size_t>& partition) const;

  const Subgraph& graph_;
  const CostTable& table_;
  const std::map<size_t, size_t> folds_;
  std::map<int, size_t> writers_;
  std::map<int, std::vector<size_t>> readers_;
};

}  // namespace mcpruner::cost

#endif  // MCPRUNER_DELEGATE_COST_PREDICTOR_H_
