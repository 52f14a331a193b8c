#include "delegate/graph/weights/layer_walk.h"

namespace mcpruner {

std::vector<uint64_t> GroupTaps(const SparseLayer& layer) {
  std::vector<uint64_t> taps;
  for (size_t g = 0; g + 1 < layer.group_run_begin.size(); ++g) {
    uint64_t count = 0;
    for (uint32_t r = layer.group_run_begin[g]; r < layer.group_run_begin[g + 1]; ++r) {
      const SparseLayer::Run& run = layer.runs[r];
      count += uint64_t{run.count} * static_cast<uint64_t>(__builtin_popcountll(layer.patterns[run.pattern]));
    }
    taps.push_back(count);
  }
  return taps;
}

PackedFilter FilterAt(const SparseLayer& layer, int packed) {
  if (packed >= layer.out_channels) return {};
  const int channel = layer.permutation[static_cast<size_t>(packed)];
  return {channel, layer.bias[static_cast<size_t>(channel)]};
}

}  // namespace mcpruner
