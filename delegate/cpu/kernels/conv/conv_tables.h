// A SparseLayer as the convolution kernels walk it: its values, and each tap of each kernel as one displacement.
//
//     layer   group 0: values of 8 filters           parts  0: filters 0-3 of group 0
//             group 1: ...                                  1: filters 4-7 of group 0
//                                                           2: filters 0-3 of group 1 ...
//
// Values stay in the layer, which must outlive the tables; only groups of more than a part are copied, part by part.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_TABLES_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_TABLES_H_

#include <vector>

#include "delegate/cpu/kernels/conv/conv_args.h"
#include "delegate/graph/weights/sparse_layer.h"

namespace mcpruner {

struct ConvTables {
  std::vector<int32_t> taps;        // ConvPart::taps of all groups, and what prefetching reads behind them
  std::vector<size_t> group_begin;  // where those of each group begin, and one past the last
  std::vector<float> values;        // of groups of more than one part
  std::vector<ConvPart> parts;
  std::vector<int64_t> work;  // of each part, in taps, and a little for its stores
  int filters = 1;            // per part

  ConvLayerArgs args() const { return {parts.data(), filters}; }
};

// `displacements` has one element per kernel position, from the window's first element. All that a window reads must
// lie within 2^31 floats.
ConvTables MakeConvTables(const SparseLayer& layer, const std::vector<ptrdiff_t>& displacements,
                          ptrdiff_t channel_stride);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_TABLES_H_
