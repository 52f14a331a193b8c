#include "delegate/cpu/kernels/conv/conv_tables.h"

#include <algorithm>

namespace mcpruner {
namespace {

// What storing a part's results costs, in taps.
constexpr int64_t kStoreWork = 8;

// Taps of all patterns; returns where each pattern's begin, and one past the last.
std::vector<int32_t> AddTaps(const SparseLayer& layer, const std::vector<ptrdiff_t>& displacements,
                             ConvTables* tables) {
  std::vector<int32_t> begin{0};
  for (const uint64_t pattern : layer.patterns) {
    for (size_t p = 0; p < displacements.size(); ++p) {
      if ((pattern >> p & 1) != 0) tables->taps.push_back(displacements[p]);
    }
    begin.push_back(static_cast<int32_t>(tables->taps.size()));
  }
  return begin;
}

// The part of group g that begins with the group's filter `first`, if any filter is left there.
void AddPart(const SparseLayer& layer, int g, int first, ConvPart part, int64_t work, ConvTables* tables) {
  const int packed = g * layer.group_size + first;
  part.num_filters = std::min(tables->filters, layer.out_channels - packed);
  if (part.num_filters <= 0) return;
  part.values += first;
  for (int f = 0; f < part.num_filters; ++f) {
    const int channel = layer.permutation[static_cast<size_t>(packed + f)];
    part.out_channels[f] = channel;
    part.bias[f] = layer.bias[static_cast<size_t>(channel)];
  }
  tables->parts.push_back(part);
  tables->work.push_back(work);
}

}  // namespace

ConvTables MakeConvTables(const SparseLayer& layer, const std::vector<ptrdiff_t>& displacements) {
  ConvTables tables;
  tables.filters = std::min<int>(layer.group_size, kConvMaxFilters);
  const std::vector<int32_t> begin = AddTaps(layer, displacements, &tables);
  for (const SparseLayer::Run& run : layer.runs) {
    const int32_t first = begin[run.pattern];
    tables.runs.push_back({first, begin[size_t{run.pattern} + 1] - first, run.count});
  }
  tables.channels = layer.channels;
  tables.channels.resize(layer.channels.size() + kConvPrefetchedKernels);
  const uint16_t* channels = tables.channels.data();
  const float* values = layer.values.data();
  for (int g = 0; g < layer.num_groups(); ++g) {
    const uint32_t first = layer.group_run_begin[static_cast<size_t>(g)];
    const uint32_t last = layer.group_run_begin[static_cast<size_t>(g) + 1];
    ConvPart part{};
    part.runs = tables.runs.data() + first;
    part.num_runs = static_cast<int32_t>(last - first);
    part.channels = channels;
    part.values = values;
    int64_t taps = 0;
    for (uint32_t r = first; r < last; ++r) {
      channels += tables.runs[r].num_kernels;
      taps += int64_t{tables.runs[r].num_kernels} * tables.runs[r].num_taps;
    }
    for (int f = 0; f < layer.group_size; f += tables.filters) AddPart(layer, g, f, part, taps + kStoreWork, &tables);
    values += taps * layer.group_size;
  }
  return tables;
}

}  // namespace mcpruner
