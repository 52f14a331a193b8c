// CountPacked counts what PackLayer would store, without packing: the cost model predicts by it.

#ifndef MCPRUNER_DELEGATE_GRAPH_WEIGHTS_PACKED_COUNTS_H_
#define MCPRUNER_DELEGATE_GRAPH_WEIGHTS_PACKED_COUNTS_H_

#include <cstdint>
#include <vector>

#include "delegate/graph/weights/grouping.h"
#include "delegate/graph/weights/nonzero_bits.h"
#include "delegate/graph/weights/pattern_table.h"

namespace mcpruner {

struct PackedCounts {
  int64_t values = 0;                           // those of padding lanes among them
  std::vector<PatternTable::Pattern> patterns;  // of kernels, in the order of their bits
};

// The grouping must be one that CheckGrouping lets pass.
PackedCounts CountPacked(const NonzeroBits& bits, const Grouping& grouping);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_WEIGHTS_PACKED_COUNTS_H_
