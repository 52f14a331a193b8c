#include "delegate/cpu/kernels/conv/conv_tables.h"

#include <algorithm>
#include <bitset>

namespace mcpruner {
namespace {

// What storing a part's results costs, in taps.
constexpr int64_t kStoreWork = 8;

int NumTaps(uint64_t pattern) { return static_cast<int>(std::bitset<64>(pattern).count()); }

// Taps of all patterns; returns where each pattern's begin.
std::vector<int32_t> AddTaps(const SparseLayer& layer, const std::vector<ptrdiff_t>& displacements,
                             ConvTables* tables) {
  std::vector<int32_t> begin;
  for (const uint64_t pattern : layer.patterns) {
    begin.push_back(static_cast<int32_t>(tables->taps.size()));
    for (size_t p = 0; p < displacements.size(); ++p) {
      if ((pattern >> p & 1) != 0) tables->taps.push_back(displacements[p]);
    }
  }
  return begin;
}

// Whether all patterns that kernels use have equally many taps.
bool IsUniform(const SparseLayer& layer) {
  return std::all_of(layer.runs.begin(), layer.runs.end(), [&](const SparseLayer::Run& run) {
    return NumTaps(layer.patterns[run.pattern]) == NumTaps(layer.patterns[layer.runs[0].pattern]);
  });
}

// Kernels of each group. Where patterns differ in size, each tap becomes a kernel of its own.
void AddKernels(const SparseLayer& layer, const std::vector<int32_t>& first_tap, ptrdiff_t channel_stride,
                ConvTables* tables) {
  const bool uniform = IsUniform(layer);
  tables->taps_per_kernel = uniform && !layer.runs.empty() ? NumTaps(layer.patterns[layer.runs[0].pattern]) : 1;
  const uint16_t* channel = layer.channels.data();
  tables->group_kernels.push_back(0);
  for (int g = 0; g < layer.num_groups(); ++g) {
    for (uint32_t r = layer.group_run_begin[static_cast<size_t>(g)];
         r < layer.group_run_begin[static_cast<size_t>(g) + 1]; ++r) {
      const SparseLayer::Run& run = layer.runs[r];
      const int copies = uniform ? 1 : NumTaps(layer.patterns[run.pattern]);
      for (int k = 0; k < run.count; ++k, ++channel) {
        for (int t = 0; t < copies; ++t) {
          tables->kernels.push_back({static_cast<int32_t>(*channel * channel_stride), first_tap[run.pattern] + t});
        }
      }
    }
    tables->group_kernels.push_back(static_cast<int64_t>(tables->kernels.size()));
  }
  tables->kernels.resize(tables->kernels.size() + kConvPrefetchedKernels);
}

// The part of group g that begins with the group's filter `first`, if any filter is left there.
void AddPart(const SparseLayer& layer, int g, int first, ConvPart part, int64_t work, ConvTables* tables) {
  const int packed = g * layer.group_size + first;
  part.num_filters = std::min(tables->filters, layer.out_channels - packed);
  if (part.num_filters <= 0) return;
  for (int f = 0; f < part.num_filters; ++f) {
    const int channel = layer.permutation[static_cast<size_t>(packed + f)];
    part.out_channels[f] = channel;
    part.bias[f] = layer.bias[static_cast<size_t>(channel)];
  }
  tables->parts.push_back(part);
  tables->work.push_back(work);
}

// The values of filters first .. first + filters - 1 of a group, tap by tap, at the end of tables->values.
const float* CopyValues(const SparseLayer& layer, const float* values, int64_t taps, int first, ConvTables* tables) {
  const size_t begin = tables->values.size();
  for (int64_t t = 0; t < taps; ++t) {
    const float* const from = values + t * layer.group_size + first;
    tables->values.insert(tables->values.end(), from, from + tables->filters);
  }
  return tables->values.data() + begin;
}

}  // namespace

ConvTables MakeConvTables(const SparseLayer& layer, const std::vector<ptrdiff_t>& displacements,
                          ptrdiff_t channel_stride) {
  ConvTables tables;
  tables.filters = std::min<int>(layer.group_size, kConvMaxFilters);
  const bool copy = layer.group_size > tables.filters;
  if (copy) tables.values.reserve(layer.values.size());  // so that pointers into it stay
  const std::vector<int32_t> first_tap = AddTaps(layer, displacements, &tables);
  AddKernels(layer, first_tap, channel_stride, &tables);
  const float* values = layer.values.data();
  for (size_t g = 0; g + 1 < tables.group_kernels.size(); ++g) {
    ConvPart part{};
    part.kernels = tables.kernels.data() + tables.group_kernels[g];
    part.num_kernels = static_cast<int32_t>(tables.group_kernels[g + 1] - tables.group_kernels[g]);
    const int64_t taps = int64_t{part.num_kernels} * tables.taps_per_kernel;
    for (int f = 0; f < layer.group_size; f += tables.filters) {
      part.values = copy ? CopyValues(layer, values, taps, f, &tables) : values;
      AddPart(layer, static_cast<int>(g), f, part, taps + kStoreWork, &tables);
    }
    values += taps * layer.group_size;
  }
  return tables;
}

}  // namespace mcpruner
