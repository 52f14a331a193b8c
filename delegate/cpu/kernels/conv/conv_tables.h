// A SparseLayer is turned into what the convolution's micro-kernel walks: parts of up to 4 filters, and for each tap (a
// position of a kernel) one displacement that says where it reads.
//
//     layer   group 0: values of 8 filters           parts  0: filters 0-3 of group 0
//             group 1: ...                                  1: filters 4-7 of group 0
//                                                           2: filters 0-3 of group 1 ...
//
// Values stay in the layer, which must outlive the tables. Only those of groups that are larger than a part are copied,
// so that each part has its own in one piece.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_TABLES_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_TABLES_H_

#include <vector>

#include "delegate/cpu/kernels/conv/conv_args.h"
#include "delegate/graph/weights/sparse_layer.h"

namespace mcpruner {

struct ConvTables {
  std::vector<int32_t> taps;        // ConvPart::taps of all groups, and what prefetching reads behind the last one
  std::vector<size_t> group_begin;  // where each group's taps begin, and where the last one's end
  std::vector<float> values;        // copies, for groups that are larger than a part
  std::vector<ConvPart> parts;
  std::vector<int64_t> work;  // what each part costs: its taps, and a little for its stores
  int filters = 1;            // how many filters each part has: 1, 2 or 4

  ConvLayerArgs args() const { return {parts.data(), filters}; }
};

// `displacements` says for each kernel position how many floats it lies behind the window's first element, and
// `channel_stride` how many floats lie between two channels. All that a window reads must lie within 2^31 bytes.
ConvTables MakeConvTables(const SparseLayer& layer, const std::vector<ptrdiff_t>& displacements,
                          ptrdiff_t channel_stride);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_CONV_CONV_TABLES_H_
