#include "delegate/opencl/packed_layer.h"

#include <algorithm>
#include <array>
#include <utility>

namespace mcpruner::opencl {
namespace {

constexpr int kMaxFilters = 4;
constexpr int kColumnRows = 3;

struct Column {
  int mask = 0;
  uint16_t channel = 0;
  int position = 0;                           // in the kernel, of row 0 of the mask
  std::array<size_t, kColumnRows> taps = {};  // which of the group's, in the layer's order, for each bit of the mask

  int num_taps() const { return __builtin_popcount(static_cast<unsigned>(mask)); }
};

// The columns of one kernel whose first tap is the group's tap `first`.
void AddKernel(const SparseLayer& layer, uint64_t pattern, uint16_t channel, size_t first,
               std::vector<Column>* columns) {
  const int width = layer.kernel_width;
  for (int kx = 0; kx < width; ++kx) {
    for (int ky = 0; ky < layer.kernel_height; ky += kColumnRows) {
      Column column;
      column.channel = channel;
      column.position = ky * width + kx;
      for (int row = 0; row < std::min(kColumnRows, layer.kernel_height - ky); ++row) {
        const int position = column.position + row * width;
        if ((pattern >> position & 1) == 0) continue;
        const uint64_t before = pattern & ((uint64_t{1} << position) - 1);
        column.taps[static_cast<size_t>(column.num_taps())] = first + static_cast<size_t>(__builtin_popcountll(before));
        column.mask |= 1 << row;
      }
      if (column.mask != 0) columns->push_back(column);
    }
  }
}

struct Group {
  std::vector<Column> columns;  // sorted by mask
  size_t taps = 0;
};

std::vector<Group> GroupsOf(const SparseLayer& layer) {
  std::vector<Group> groups(static_cast<size_t>(layer.num_groups()));
  const uint16_t* channel = layer.channels.data();
  for (size_t g = 0; g < groups.size(); ++g) {
    Group& group = groups[g];
    for (uint32_t r = layer.group_run_begin[g]; r < layer.group_run_begin[g + 1]; ++r) {
      const uint64_t pattern = layer.patterns[layer.runs[r].pattern];
      for (const uint16_t* const last = channel + layer.runs[r].count; channel != last; ++channel) {
        AddKernel(layer, pattern, *channel, group.taps, &group.columns);
        group.taps += static_cast<size_t>(__builtin_popcountll(pattern));
      }
    }
    std::stable_sort(group.columns.begin(), group.columns.end(),
                     [](const Column& a, const Column& b) { return a.mask < b.mask; });
  }
  return groups;
}

// Filters first .. of the packed order.
Part MakePart(const SparseLayer& layer, int first, int filters) {
  Part part{};
  for (int f = 0; f < kMaxFilters; ++f) {
    const bool exists = f < filters && first + f < layer.out_channels;
    part.out_channel[f] = exists ? layer.permutation[static_cast<size_t>(first + f)] : -1;
    part.bias[f] = exists ? layer.bias[static_cast<size_t>(part.out_channel[f])] : 0.0f;
  }
  return part;
}

}  // namespace

int PartFilters(const SparseLayer& layer) { return std::min(layer.group_size, kMaxFilters); }

std::vector<float> PackValues(const SparseLayer& layer) {
  const std::vector<float> all = FloatValues(layer);
  const int filters = PartFilters(layer);
  std::vector<float> packed;
  packed.reserve(all.size());
  const float* values = all.data();
  for (const Group& group : GroupsOf(layer)) {
    for (int f = 0; f < layer.group_size; f += filters) {
      for (const Column& column : group.columns) {
        for (int t = 0; t < column.num_taps(); ++t) {
          const size_t tap = column.taps[static_cast<size_t>(t)];
          const float* const from = values + tap * static_cast<size_t>(layer.group_size) + f;
          packed.insert(packed.end(), from, from + filters);
        }
      }
    }
    values += group.taps * static_cast<size_t>(layer.group_size);
  }
  return packed;
}

PackedTaps PackTaps(const SparseLayer& layer, const std::vector<int>& channels, const std::vector<int>& positions) {
  PackedTaps packed;
  const int filters = PartFilters(layer);
  std::vector<int32_t> previous;
  Part columns{}, before{};  // where they are, and how many of each mask
  int first_value = 0, packed_filter = 0;
  for (const Group& group : GroupsOf(layer)) {
    std::vector<int32_t> displacements;
    std::fill(std::begin(columns.columns), std::end(columns.columns), 0);
    for (const Column& column : group.columns) {
      displacements.push_back(channels[column.channel] + positions[static_cast<size_t>(column.position)]);
      ++columns.columns[column.mask - 1];
      packed.masks |= 1 << column.mask;
    }
    const bool same = displacements == previous &&
                      std::equal(std::begin(columns.columns), std::end(columns.columns), std::begin(before.columns));
    if (packed.parts.empty() || !same) {
      columns.first_column = static_cast<int>(packed.displacements.size());
      packed.displacements.insert(packed.displacements.end(), displacements.begin(), displacements.end());
    }
    for (int f = 0; f < layer.group_size; f += filters) {
      Part part = MakePart(layer, packed_filter + f, filters);
      part.first_column = columns.first_column;
      std::copy(std::begin(columns.columns), std::end(columns.columns), std::begin(part.columns));
      part.first_value = first_value;
      packed.parts.push_back(part);
      first_value += static_cast<int>(group.taps);
    }
    packed.most_taps = std::max(packed.most_taps, static_cast<int>(group.taps));
    packed_filter += layer.group_size;
    previous = std::move(displacements);
    before = columns;
  }
  return packed;
}

}  // namespace mcpruner::opencl
