// A SparseLayer is packed as the micro-kernels of convolutions walk it: in parts of up to 4 filters, each with its
// taps.
//
//     values          part 0 (filters 0-3 of group 0): tap 0 [4 values], tap 1 [4 values], ..., zeros to fill up
//                     part 1 ...
//     displacements   part 0: where each column reads, from the first element of a window; filled up with the last one
//                     part 1 ...                    parts with the same taps (those of a dense layer) share them
//
// A column is one tap, or, where all patterns keep all positions, the taps of one column of the kernel. Taps come in
// the order of their channels, whatever their pattern: parts that run at the same time then find each other's rows of
// the input in a cache (1.3 times as fast on an H200, 64x224x224). Values are the layer's own and are uploaded once for
// it; displacements depend on the layout of the op's input.

#ifndef MCPRUNER_DELEGATE_OPENCL_PLAN_PACKED_LAYER_H_
#define MCPRUNER_DELEGATE_OPENCL_PLAN_PACKED_LAYER_H_

#include <cstdint>
#include <vector>

#include "delegate/graph/weights/sparse_layer.h"
#include "delegate/opencl/plan/args.h"

namespace mcpruner::opencl {

// Returns how many taps a column has (COLUMN_ROWS in conv.cl): 2 or 3 where all patterns of a kernel of as many rows
// are full, otherwise 1.
int ColumnRows(const SparseLayer& layer);

// Returns how many filters each part has: 1, 2 or 4.
int PartFilters(const SparseLayer& layer);

// Returns how many taps the part with the most taps has, those counted that fill it up.
int64_t MostTaps(const SparseLayer& layer);

// Returns the values of all parts, one after the other: for each tap as many as a part has filters.
std::vector<float> PackValues(const SparseLayer& layer);

struct PackedTaps {
  std::vector<Part> parts;
  std::vector<int32_t> displacements;
};

// `channels` and `positions` are the displacements of each input channel and of each kernel position: that of a tap is
// their sum.
PackedTaps PackTaps(const SparseLayer& layer, const std::vector<int>& channels, const std::vector<int>& positions);

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_PLAN_PACKED_LAYER_H_
