#include "delegate/opencl/packed_layer.h"

#include <algorithm>

namespace mcpruner::opencl {
namespace {

constexpr int kMaxFilters = 4;

size_t FilledUp(size_t taps) { return (taps + kTapsPerStep - 1) / kTapsPerStep * kTapsPerStep; }

// Taps of each group.
std::vector<size_t> CountTaps(const SparseLayer& layer) {
  std::vector<size_t> taps;
  for (size_t g = 0; g + 1 < layer.group_run_begin.size(); ++g) {
    size_t count = 0;
    for (uint32_t r = layer.group_run_begin[g]; r < layer.group_run_begin[g + 1]; ++r) {
      const uint64_t pattern = layer.patterns[layer.runs[r].pattern];
      count += layer.runs[r].count * static_cast<size_t>(__builtin_popcountll(pattern));
    }
    taps.push_back(count);
  }
  return taps;
}

// Displacements of group g; `channel` moves on to the next group's first kernel.
std::vector<int32_t> GroupTaps(const SparseLayer& layer, size_t g, const std::vector<int>& channels,
                               const std::vector<int>& positions, const uint16_t** channel) {
  std::vector<int32_t> taps;
  for (uint32_t r = layer.group_run_begin[g]; r < layer.group_run_begin[g + 1]; ++r) {
    const SparseLayer::Run& run = layer.runs[r];
    for (const uint16_t* const last = *channel + run.count; *channel != last; ++*channel) {
      for (size_t p = 0; p < positions.size(); ++p) {
        if ((layer.patterns[run.pattern] >> p & 1) != 0) taps.push_back(channels[**channel] + positions[p]);
      }
    }
  }
  taps.resize(FilledUp(taps.size()), taps.empty() ? 0 : taps.back());
  return taps;
}

// Where filters `first` .. of the packed order belong.
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

int64_t MostTaps(const SparseLayer& layer) {
  const std::vector<size_t> taps = CountTaps(layer);
  return taps.empty() ? 0 : static_cast<int64_t>(FilledUp(*std::max_element(taps.begin(), taps.end())));
}

std::vector<float> PackValues(const SparseLayer& layer) {
  const std::vector<float> all = FloatValues(layer);
  const int filters = PartFilters(layer);
  std::vector<float> packed;
  packed.reserve(all.size());
  const float* values = all.data();
  for (const size_t taps : CountTaps(layer)) {
    for (int f = 0; f < layer.group_size; f += filters) {
      for (size_t t = 0; t < taps; ++t) {
        const float* const from = values + t * static_cast<size_t>(layer.group_size) + f;
        packed.insert(packed.end(), from, from + filters);
      }
      packed.resize(packed.size() + (FilledUp(taps) - taps) * static_cast<size_t>(filters));
    }
    values += taps * static_cast<size_t>(layer.group_size);
  }
  return packed;
}

PackedTaps PackTaps(const SparseLayer& layer, const std::vector<int>& channels, const std::vector<int>& positions) {
  PackedTaps packed;
  const int filters = PartFilters(layer);
  const uint16_t* channel = layer.channels.data();
  std::vector<int32_t> previous;
  size_t first_value = 0, first_tap = 0;
  for (size_t g = 0; g + 1 < layer.group_run_begin.size(); ++g) {
    std::vector<int32_t> taps = GroupTaps(layer, g, channels, positions, &channel);
    if (g == 0 || taps != previous) {
      first_tap = packed.displacements.size();
      packed.displacements.insert(packed.displacements.end(), taps.begin(), taps.end());
    }
    for (int f = 0; f < layer.group_size; f += filters) {
      Part part = MakePart(layer, static_cast<int>(g) * layer.group_size + f, filters);
      part.first_tap = static_cast<int>(first_tap);
      part.first_value = static_cast<int>(first_value);
      part.taps = static_cast<int>(taps.size());
      packed.parts.push_back(part);
      first_value += taps.size();
    }
    previous = std::move(taps);
  }
  return packed;
}

}  // namespace mcpruner::opencl
