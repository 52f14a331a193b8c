// These functions walk a SparseLayer, for everybody who reads one or packs one for micro-kernels.
//
//     group 0   run: pattern 5, channels 1 4 9        kernels (1, pattern 5) (4, pattern 5) (9, pattern 5)
//               run: pattern 2, channel 2                     (2, pattern 2)
//     group 1   ...
//
// A tap is one position of one kernel: the layer has group_size values for it.

#ifndef MCPRUNER_DELEGATE_GRAPH_WEIGHTS_LAYER_WALK_H_
#define MCPRUNER_DELEGATE_GRAPH_WEIGHTS_LAYER_WALK_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "delegate/graph/weights/sparse_layer.h"

namespace mcpruner {

// Calls body(channel, pattern) for each kernel of a group, in the layer's order. `*channels` is where the group's
// channels begin; it moves on to where those of the next group do.
template <typename Body>
void ForEachKernel(const SparseLayer& layer, size_t group, const uint16_t** channels, const Body& body) {
  for (uint32_t r = layer.group_run_begin[group]; r < layer.group_run_begin[group + 1]; ++r) {
    const uint64_t pattern = layer.patterns[layer.runs[r].pattern];
    for (const uint16_t* const end = *channels + layer.runs[r].count; *channels != end; ++*channels) {
      body(int{**channels}, pattern);
    }
  }
}

// Returns how many taps each group has. Patterns and runs suffice, so that a reader may ask before it reads channels
// and values. A group has at most 2^16 kernels of 64 positions where the layer is valid.
std::vector<uint64_t> GroupTaps(const SparseLayer& layer);

// A lane of a group makes one output channel, or none.
struct PackedFilter {
  int out_channel = -1;  // -1: the lane only fills the last group
  float bias = 0.0f;
};
// Returns what lane `packed` makes, counted over all groups.
PackedFilter FilterAt(const SparseLayer& layer, int packed);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_WEIGHTS_LAYER_WALK_H_
