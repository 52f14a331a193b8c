// JoinClasses is the greedy half of GroupFilters (grouping.h): filters that have no group yet are joined to groups.

#ifndef MCPRUNER_DELEGATE_GRAPH_WEIGHTS_JOIN_CLASSES_H_
#define MCPRUNER_DELEGATE_GRAPH_WEIGHTS_JOIN_CLASSES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "delegate/graph/weights/nonzero_bits.h"

namespace mcpruner {

// Joins classes of filters with equal bits, each shorter than a group and none empty, to groups; all but the last one
// are full. The classes are in the order of their first filters. The largest class starts a group, the densest of such
// as are equally large; then the nearest of those that fit whole joins, until the group is full. Only where none fits
// whole is one split.
std::vector<std::vector<uint16_t>> JoinClasses(const NonzeroBits& bits, std::vector<std::vector<uint16_t>> classes,
                                               size_t group_size);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_WEIGHTS_JOIN_CLASSES_H_
