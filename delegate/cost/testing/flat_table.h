// A table of costs for tests: what an operator takes does not depend on what it does.

#ifndef MCPRUNER_DELEGATE_COST_TESTING_FLAT_TABLE_H_
#define MCPRUNER_DELEGATE_COST_TESTING_FLAT_TABLE_H_

#include "delegate/cost/cost_table.h"

namespace mcpruner::cost {

// Returns a table in which calling a partition takes 100 ns, an edge 10, and nothing else any time.
inline CostTable FlatTable() {
  CostTable table;
  table.name = "flat";
  table.simd = FindSimd("avx2");
  table.nanoseconds.cpu_partition.layer = 100;
  table.nanoseconds.cpu_edge.layer = 10;
  return table;
}

}  // namespace mcpruner::cost

#endif  // MCPRUNER_DELEGATE_COST_TESTING_FLAT_TABLE_H_
