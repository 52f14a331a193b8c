#include "delegate/cpu/kernels/conv/conv_tables.h"

#include <algorithm>

#include "delegate/graph/weights/layer_walk.h"

namespace mcpruner {
namespace {

// Storing the results of a part counts as so many taps when work is shared out. No measurement of the number
// is on record: without it a part of few taps would count as nothing, a larger one would hide how many taps parts have.
constexpr int64_t kStoreWork = 8;

// Appends the displacements of all taps, group by group.
void AddTaps(const SparseLayer& layer, const std::vector<ptrdiff_t>& displacements, ptrdiff_t channel_stride,
             ConvTables* tables) {
  const uint16_t* channels = layer.channels.data();
  tables->group_begin.push_back(0);
  for (size_t g = 0; g < static_cast<size_t>(layer.num_groups()); ++g) {
    ForEachKernel(layer, g, &channels, [&](int channel, uint64_t pattern) {
      for (size_t p = 0; p < displacements.size(); ++p) {
        if ((pattern >> p & 1) == 0) continue;
        tables->taps.push_back(
            static_cast<int32_t>((channel * channel_stride + displacements[p]) * ptrdiff_t{sizeof(float)}));
      }
    });
    tables->group_begin.push_back(tables->taps.size());
  }
  tables->taps.resize(tables->taps.size() + kConvPrefetchedTaps);
}

// Appends the part that begins with filter `first` of group g, unless only lanes that fill the last group are left
// there.
void AddPart(const SparseLayer& layer, int g, int first, ConvPart part, int64_t work, ConvTables* tables) {
  const int packed = g * layer.group_size + first;
  part.num_filters = std::min(tables->filters, layer.out_channels - packed);
  if (part.num_filters <= 0) return;
  for (int f = 0; f < part.num_filters; ++f) {
    const PackedFilter filter = FilterAt(layer, packed + f);
    part.out_channels[f] = filter.out_channel;
    part.bias[f] = filter.bias;
  }
  tables->parts.push_back(part);
  tables->work.push_back(work);
}

// Appends the values of one part, tap by tap, to tables->values and returns where they begin. `first` is the part's
// first filter in its group, whose values `values` are.
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
  AddTaps(layer, displacements, channel_stride, &tables);
  const float* values = layer.values.data();
  for (size_t g = 0; g + 1 < tables.group_begin.size(); ++g) {
    const auto taps = static_cast<int64_t>(tables.group_begin[g + 1] - tables.group_begin[g]);
    ConvPart part{};
    part.taps = tables.taps.data() + tables.group_begin[g];
    part.num_taps = static_cast<int32_t>(taps);
    for (int f = 0; f < layer.group_size; f += tables.filters) {
      part.values = copy ? CopyValues(layer, values, taps, f, &tables) : values;
      AddPart(layer, static_cast<int>(g), f, part, taps + kStoreWork, &tables);
    }
    values += taps * layer.group_size;
  }
  return tables;
}

}  // namespace mcpruner
