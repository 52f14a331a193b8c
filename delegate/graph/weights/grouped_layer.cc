#include "delegate/graph/weights/grouped_layer.h"

#include <cassert>
#include <set>
#include <string>

#include "delegate/graph/weights/layer_walk.h"

namespace mcpruner {
namespace {

// The kernels of a filter group.
struct Kernels {
  Span<const SparseLayer::Run> runs;
  Span<const uint16_t> channels;
  Span<const float> values;
};

// Returns the kernels of each filter group.
std::vector<Kernels> KernelsOf(const SparseLayer& layer) {
  std::vector<Kernels> kernels;
  const std::vector<uint64_t> taps = GroupTaps(layer);
  size_t channel = 0, value = 0;
  for (size_t group = 0; group < taps.size(); ++group) {
    const uint32_t begin = layer.group_run_begin[group], end = layer.group_run_begin[group + 1];
    size_t channels = 0;
    for (uint32_t run = begin; run < end; ++run) channels += layer.runs[run].count;
    const size_t values = taps[group] * static_cast<size_t>(layer.group_size);
    kernels.push_back({{layer.runs.data() + begin, end - begin},
                       {layer.channels.data() + channel, channels},
                       {layer.values.data() + value, values}});
    channel += channels;
    value += values;
  }
  return kernels;
}

// Returns for each lane of a filter group which of the convolution groups of `filters` filters it belongs to, or -1 if
// it makes no filter.
std::vector<int> ConvGroupOfLanes(const SparseLayer& layer, int group, int filters) {
  std::vector<int> groups;
  for (int lane = 0; lane < layer.group_size; ++lane) {
    const int filter = FilterAt(layer, group * layer.group_size + lane).out_channel;
    groups.push_back(filter < 0 ? -1 : filter / filters);
  }
  return groups;
}

// Appends the kernels as convolution group `conv_group` has them: with its channels, and values in its lanes alone.
void Append(const Kernels& kernels, const std::vector<int>& lanes, int conv_group, int channels, SparseLayer* to) {
  to->runs.insert(to->runs.end(), kernels.runs.begin(), kernels.runs.end());
  for (const uint16_t channel : kernels.channels) {
    to->channels.push_back(static_cast<uint16_t>(conv_group * channels + channel));
  }
  for (size_t i = 0; i < kernels.values.size(); ++i) {
    to->values.push_back(lanes[i % lanes.size()] == conv_group ? kernels.values[i] : 0.0f);
  }
}

}  // namespace

Result<SparseLayer> InGroups(const SparseLayer& layer, int groups) {
  assert(!layer.keeps_narrow());
  const int64_t channels = int64_t{groups} * layer.in_channels;
  if (groups < 1 || layer.out_channels % groups != 0 || channels > kMaxChannels) {
    return Status::Error("expected groups that share its " + std::to_string(layer.out_channels) +
                         " filters evenly and have at most " + std::to_string(kMaxChannels) +
                         " channels together, got " + std::to_string(groups) + " groups of " +
                         std::to_string(layer.in_channels) + " channels");
  }
  SparseLayer made = layer;
  made.in_channels = static_cast<int>(channels);
  made.runs.clear();
  made.channels.clear();
  made.values.clear();
  const std::vector<Kernels> kernels = KernelsOf(layer);
  for (size_t group = 0; group < kernels.size(); ++group) {
    const std::vector<int> lanes = ConvGroupOfLanes(layer, static_cast<int>(group), layer.out_channels / groups);
    for (const int conv_group : std::set<int>(lanes.begin(), lanes.end())) {
      if (conv_group >= 0) Append(kernels[group], lanes, conv_group, layer.in_channels, &made);
    }
    made.group_run_begin[group + 1] = static_cast<uint32_t>(made.runs.size());
  }
  return made;
}

}  // namespace mcpruner
