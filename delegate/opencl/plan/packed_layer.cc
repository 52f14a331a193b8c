#include "delegate/opencl/plan/packed_layer.h"

#include <algorithm>

#include "delegate/graph/weights/layer_walk.h"

namespace mcpruner::opencl {
namespace {

constexpr int kMaxFilters = 4;
constexpr int kMaxColumnRows = 3;
constexpr size_t kTapsPerStep = 4;  // columns of one tap in a step of the convolution's loop (UNROLL in conv.cl)

// Returns how many taps a part of `taps` taps has when it is filled up to whole steps of the loop. A column of several
// taps is a step by itself.
size_t FilledUp(size_t taps, int column_rows) {
  return column_rows > 1 ? taps : (taps + kTapsPerStep - 1) / kTapsPerStep * kTapsPerStep;
}

// Kernels of columns are packed column by column, each from the top: the i-th tap that is packed is this one of the
// layer's kernel.
size_t TapOfColumns(const SparseLayer& layer, size_t i) {
  const auto height = static_cast<size_t>(layer.kernel_height);
  return i % height * static_cast<size_t>(layer.kernel_width) + i / height;
}

// A kernel of a group, and where the group has its values.
struct Kernel {
  int channel;
  uint64_t pattern;
  size_t first_tap;  // the kernel's first tap, counted from the group's first one in the layer's order
};

// Returns the kernels of group g in the order of their channels; `channels` moves on as in ForEachKernel.
std::vector<Kernel> GroupKernels(const SparseLayer& layer, size_t g, const uint16_t** channels) {
  std::vector<Kernel> kernels;
  size_t tap = 0;
  ForEachKernel(layer, g, channels, [&](int channel, uint64_t pattern) {
    kernels.push_back({channel, pattern, tap});
    tap += static_cast<size_t>(__builtin_popcountll(pattern));
  });
  std::stable_sort(kernels.begin(), kernels.end(),
                   [](const Kernel& a, const Kernel& b) { return a.channel < b.channel; });
  return kernels;
}

// Returns the displacement of each column of a group's kernels, filled up to whole steps by repeating the last one.
std::vector<int32_t> Columns(const SparseLayer& layer, const std::vector<Kernel>& kernels,
                             const std::vector<int>& channels, const std::vector<int>& positions) {
  const int column_rows = ColumnRows(layer);
  const size_t firsts = column_rows > 1 ? static_cast<size_t>(layer.kernel_width) : positions.size();
  std::vector<int32_t> columns;
  for (const Kernel& kernel : kernels) {
    for (size_t p = 0; p < firsts; ++p) {
      if ((kernel.pattern >> p & 1) != 0) {
        columns.push_back(channels[static_cast<size_t>(kernel.channel)] + positions[p]);
      }
    }
  }
  columns.resize(FilledUp(columns.size(), column_rows), columns.empty() ? 0 : columns.back());
  return columns;
}

// Returns the taps of a group in the order in which they are packed, each by its number in the layer's order.
std::vector<size_t> TapOrder(const SparseLayer& layer, const std::vector<Kernel>& kernels) {
  const bool columns = ColumnRows(layer) > 1;
  std::vector<size_t> order;
  for (const Kernel& kernel : kernels) {
    const auto taps = static_cast<size_t>(__builtin_popcountll(kernel.pattern));
    for (size_t i = 0; i < taps; ++i) order.push_back(kernel.first_tap + (columns ? TapOfColumns(layer, i) : i));
  }
  return order;
}

// Returns a part whose filters begin with lane `first` of all groups' lanes; its taps are left to the caller.
Part MakePart(const SparseLayer& layer, int first, int filters) {
  Part part{};
  for (int f = 0; f < kMaxFilters; ++f) {
    const PackedFilter filter = f < filters ? FilterAt(layer, first + f) : PackedFilter();
    part.out_channel[f] = filter.out_channel;
    part.bias[f] = filter.bias;
  }
  return part;
}

}  // namespace

int PartFilters(const SparseLayer& layer) { return std::min(layer.group_size, kMaxFilters); }

int ColumnRows(const SparseLayer& layer) {
  const uint64_t full = FullPattern(layer.kernel_height * layer.kernel_width);
  const bool all_full =
      std::all_of(layer.patterns.begin(), layer.patterns.end(), [full](uint64_t pattern) { return pattern == full; });
  return all_full && layer.kernel_height <= kMaxColumnRows ? layer.kernel_height : 1;
}

int64_t MostTaps(const SparseLayer& layer) {
  const std::vector<uint64_t> taps = GroupTaps(layer);
  const uint64_t most = taps.empty() ? 0 : *std::max_element(taps.begin(), taps.end());
  return static_cast<int64_t>(FilledUp(static_cast<size_t>(most), ColumnRows(layer)));
}

std::vector<float> PackValues(const SparseLayer& layer) {
  const std::vector<float> all = FloatValues(layer);
  const int filters = PartFilters(layer), column_rows = ColumnRows(layer);
  std::vector<float> packed;
  packed.reserve(all.size());
  const float* values = all.data();
  const uint16_t* channel = layer.channels.data();
  for (size_t g = 0; g + 1 < layer.group_run_begin.size(); ++g) {
    const std::vector<size_t> taps = TapOrder(layer, GroupKernels(layer, g, &channel));
    for (int f = 0; f < layer.group_size; f += filters) {
      for (const size_t tap : taps) {
        const float* const from = values + tap * static_cast<size_t>(layer.group_size) + f;
        packed.insert(packed.end(), from, from + filters);
      }
      const size_t zeros = FilledUp(taps.size(), column_rows) - taps.size();
      packed.resize(packed.size() + zeros * static_cast<size_t>(filters));
    }
    values += taps.size() * static_cast<size_t>(layer.group_size);
  }
  return packed;
}

PackedTaps PackTaps(const SparseLayer& layer, const std::vector<int>& channels, const std::vector<int>& positions) {
  PackedTaps packed;
  const int filters = PartFilters(layer), column_rows = ColumnRows(layer);
  const uint16_t* channel = layer.channels.data();
  std::vector<int32_t> previous;
  size_t first_value = 0, first_column = 0;
  for (size_t g = 0; g + 1 < layer.group_run_begin.size(); ++g) {
    std::vector<int32_t> columns = Columns(layer, GroupKernels(layer, g, &channel), channels, positions);
    const size_t taps = columns.size() * static_cast<size_t>(column_rows);
    if (g == 0 || columns != previous) {
      first_column = packed.displacements.size();
      packed.displacements.insert(packed.displacements.end(), columns.begin(), columns.end());
    }
    for (int f = 0; f < layer.group_size; f += filters) {
      Part part = MakePart(layer, static_cast<int>(g) * layer.group_size + f, filters);
      part.first_column = static_cast<int>(first_column);
      part.first_value = static_cast<int>(first_value);
      part.taps = static_cast<int>(taps);
      packed.parts.push_back(part);
      first_value += taps;
    }
    previous = std::move(columns);
  }
  return packed;
}

}  // namespace mcpruner::opencl
