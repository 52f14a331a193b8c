#include "delegate/graph/weights/nonzeros.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <utility>

#include "delegate/graph/weights/layer_walk.h"

namespace mcpruner {
namespace {

struct Kernel {
  int channel = 0;
  uint64_t kept = 0;  // positions with a weight
  std::vector<float> values;
};

// Returns what is left of a kernel whose values begin at `values`.
Kernel Nonzeros(int channel, uint64_t pattern, size_t group_size, const float** values) {
  Kernel kernel;
  kernel.channel = channel;
  for (int p = 0; p < kMaxPositions; ++p) {
    if ((pattern >> p & 1) == 0) continue;
    const float* const tap = *values;
    *values += group_size;
    if (std::all_of(tap, tap + group_size, [](float value) { return value == 0.0f; })) continue;
    kernel.kept |= uint64_t{1} << p;
    kernel.values.insert(kernel.values.end(), tap, tap + group_size);
  }
  return kernel;
}

// Appends a kernel to the last group, in its last run if the pattern is the same.
void Append(const Kernel& kernel, uint16_t pattern, SparseLayer* layer) {
  const bool first = layer->runs.size() == layer->group_run_begin.back();
  if (first || layer->runs.back().pattern != pattern) layer->runs.push_back({pattern, 0});
  ++layer->runs.back().count;
  layer->channels.push_back(static_cast<uint16_t>(kernel.channel));
  layer->values.insert(layer->values.end(), kernel.values.begin(), kernel.values.end());
}

}  // namespace

SparseLayer WithoutZeros(SparseLayer layer) {
  assert(!layer.keeps_narrow());
  SparseLayer kept;
  std::map<uint64_t, uint16_t> numbers;  // of patterns
  const uint16_t* channels = layer.channels.data();
  const float* values = layer.values.data();
  const auto group_size = static_cast<size_t>(layer.group_size);
  kept.group_run_begin = {0};
  for (int group = 0; group < layer.num_groups(); ++group) {
    std::vector<Kernel> kernels;
    ForEachKernel(layer, static_cast<size_t>(group), &channels, [&](int channel, uint64_t pattern) {
      Kernel kernel = Nonzeros(channel, pattern, group_size, &values);
      if (kernel.kept != 0) kernels.push_back(std::move(kernel));
    });
    const auto by_pattern = [](const Kernel& a, const Kernel& b) { return a.kept < b.kept; };
    std::stable_sort(kernels.begin(), kernels.end(), by_pattern);
    for (const Kernel& kernel : kernels) {
      const auto found = numbers.emplace(kernel.kept, static_cast<uint16_t>(kept.patterns.size()));
      if (found.second) kept.patterns.push_back(kernel.kept);
      if (kept.patterns.size() > static_cast<size_t>(kMaxPatterns)) return layer;
      Append(kernel, found.first->second, &kept);
    }
    kept.group_run_begin.push_back(static_cast<uint32_t>(kept.runs.size()));
  }
  std::swap(layer.patterns, kept.patterns);
  std::swap(layer.group_run_begin, kept.group_run_begin);
  std::swap(layer.runs, kept.runs);
  std::swap(layer.channels, kept.channels);
  std::swap(layer.values, kept.values);
  return layer;
}

}  // namespace mcpruner
