// A SparseLayer as the convolution kernels walk it: pointers into the layer, and each tap as a displacement.
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
#include "delegate/graph/sparse_layer.h"

namespace mcpruner {

struct ConvTables {
  std::vector<ptrdiff_t> taps;         // of each pattern, pattern by pattern
  std::vector<ConvKernel> kernels;     // of all groups, and what prefetching reads behind them
  std::vector<int64_t> group_kernels;  // where those of each group begin, and one past the last
  int taps_per_kernel = 1;
  std::vector<float> values;  // of groups of more than one part
  std::vector<ConvPart> parts;
  std::vector<int64_t> work;  // of each part, in taps, and a little for its stores
  int filters = 1;            // per part

  ConvLayerArgs args() const { return {parts.data(), taps.data(), taps_per_kernel, filters}; }
};

// `displacements` has one element per kernel position, from the window's first element. All channels of an input row
// must lie within 2^31 floats.
ConvTables MakeConvTables(const SparseLayer& layer, const std::vector<ptrdiff_t>& displacements,
                          ptrdiff_t channel_stride);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_TABLES_H_
