// A SparseLayer as the kernels walk it: parts of up to 4 filters, each with its columns.
//
// A column is up to 3 taps below each other in a kernel of one input channel; its mask says which. Taps of a column
// read rows that pixels below each other share, so that a work-item with several such pixels loads each row once. The
// columns of a part are sorted by mask: each mask is a loop of its own without branches.
//
//     kernel   x . x       columns   (kx 0: rows 0 1, mask 3)  (kx 2: rows 0 2, mask 5)
//              x . .
//              . . x       part      [mask 1 ...][mask 2 ...][mask 3: .. x ..]...[mask 7 ...]
//
//     values          part 0 (filters 0-3 of group 0): column 0: tap [4 values], tap [4 values]; column 1: ...
//                     part 1 ...
//     displacements   part 0: where each column's row 0 reads, from the first element of a window
//                     part 1 ...                    parts with the same columns (those of a dense layer) share them
//
// Values are the layer's own and are uploaded once for it; displacements depend on the layout of the op's input.

#ifndef MCPRUNER_DELEGATE_OPENCL_PACKED_LAYER_H_
#define MCPRUNER_DELEGATE_OPENCL_PACKED_LAYER_H_

#include <cstdint>
#include <vector>

#include "delegate/graph/sparse_layer.h"
#include "delegate/opencl/kernels/args.h"

namespace mcpruner::opencl {

// Filters of each part: 1, 2 or 4.
int PartFilters(const SparseLayer& layer);

// PartFilters for each tap, part by part.
std::vector<float> PackValues(const SparseLayer& layer);

struct PackedTaps {
  std::vector<Part> parts;
  std::vector<int32_t> displacements;
  int masks = 0;      // bit m is set if some column has mask m
  int most_taps = 0;  // of a part
};

// `channels` and `positions`: displacement of each input channel and of each kernel position; a tap's is their sum.
PackedTaps PackTaps(const SparseLayer& layer, const std::vector<int>& channels, const std::vector<int>& positions);

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_PACKED_LAYER_H_
