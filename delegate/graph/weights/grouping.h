// A Grouping says which filters of a layer share a filter group; GroupFilters finds one for a file that names none.
//
//     filter       0  1  2  3  4  5       permutation   0 2 4 5 | 1 3
//     non-zeros    A  B  A  B  A  a       groups of 4   A A A a | B B      (a: differs from A in few positions)
//
// A group stores whatever one of its filters has, so filters that agree should share one (docs/masks.md compares this
// with the converter's search). Filters with equal bits fill groups of their own first, wherever they stand: so the
// groups that a file was pruned in are found again, and where they are consecutive filters, the file keeps its order.
// Filters that remain are joined greedily, the densest first, each time with the one that agrees best of some tens that
// are about as dense, and of its neighbours in the file. This takes time linear in the weights, and n log n in the
// filters.

#ifndef MCPRUNER_DELEGATE_GRAPH_WEIGHTS_GROUPING_H_
#define MCPRUNER_DELEGATE_GRAPH_WEIGHTS_GROUPING_H_

#include <cstdint>
#include <vector>

#include "delegate/base/status.h"
#include "delegate/graph/weights/nonzero_bits.h"

namespace mcpruner {

// The first group_size filters of the permutation share a group, then the next ones, and so on.
struct Grouping {
  int group_size = 1;
  std::vector<uint16_t> permutation;  // permutation[packed filter] = original filter
};

// Checks that the size is allowed, and that each of a layer's filters is there once: a file may claim anything.
Status CheckGrouping(const Grouping& grouping, int filters);

// Returns the filters in their own order.
Grouping InOrder(const NonzeroBits& bits, int group_size);

// Groups the filters; a group that is not full comes last. Each of `conv_groups` consecutive shares of the filters, as
// grouped convolutions have them, is permuted by itself. Shares must be whole filter groups, unless there is only one.
Grouping GroupFilters(const NonzeroBits& bits, int group_size, int conv_groups);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_WEIGHTS_GROUPING_H_
