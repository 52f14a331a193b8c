#include "delegate/graph/testing/pattern_layer.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace mcpruner {
namespace {

constexpr size_t kPatterns = 8;

uint64_t RandomPattern(std::mt19937& rng, int positions, int size) {
  std::vector<int> order(static_cast<size_t>(positions));
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), rng);
  uint64_t pattern = 0;
  for (int i = 0; i < size; ++i) pattern |= uint64_t{1} << order[static_cast<size_t>(i)];
  return pattern;
}

// Adds the runs and channels of one group.
void AddGroup(std::mt19937& rng, double kernels_kept, SparseLayer* layer) {
  std::vector<std::vector<uint16_t>> runs(layer->patterns.size());
  for (int c = 0; c < layer->in_channels; ++c) {
    if (rng() % 1000 < kernels_kept * 1000) runs[rng() % runs.size()].push_back(static_cast<uint16_t>(c));
  }
  for (size_t p = 0; p < runs.size(); ++p) {
    if (runs[p].empty()) continue;
    layer->runs.push_back({static_cast<uint16_t>(p), static_cast<uint16_t>(runs[p].size())});
    layer->channels.insert(layer->channels.end(), runs[p].begin(), runs[p].end());
  }
  layer->group_run_begin.push_back(static_cast<uint32_t>(layer->runs.size()));
}

}  // namespace

std::shared_ptr<const SparseLayer> PatternLayer(std::mt19937& rng, const PatternShape& pattern) {
  const DenseShape& shape = pattern.shape;
  const int positions = shape.kernel_height * shape.kernel_width;
  auto layer = std::make_shared<SparseLayer>();
  layer->kind = pattern.kind;
  layer->kernel_height = shape.kernel_height;
  layer->kernel_width = shape.kernel_width;
  layer->in_channels = shape.in_channels;
  layer->out_channels = shape.out_channels;
  layer->group_size = pattern.group_size;
  while (layer->patterns.size() < (pattern.pattern_size == positions ? 1 : kPatterns)) {
    const uint64_t bits = RandomPattern(rng, positions, pattern.pattern_size);
    if (std::count(layer->patterns.begin(), layer->patterns.end(), bits) == 0) layer->patterns.push_back(bits);
  }
  layer->group_run_begin.push_back(0);
  for (int g = 0; g < layer->num_groups(); ++g) AddGroup(rng, pattern.kernels_kept, layer.get());
  const double inputs = pattern.pattern_size * pattern.kernels_kept * shape.in_channels;
  const auto limit = static_cast<float>(std::sqrt(6 / std::max(inputs, 1.0)));
  std::uniform_real_distribution<float> uniform(-limit, limit);
  layer->values.resize(layer->channels.size() * static_cast<size_t>(pattern.pattern_size * pattern.group_size));
  for (float& value : layer->values) value = uniform(rng);
  layer->permutation.resize(static_cast<size_t>(shape.out_channels));
  std::iota(layer->permutation.begin(), layer->permutation.end(), uint16_t{0});
  layer->bias.resize(static_cast<size_t>(shape.out_channels));
  return layer;
}

}  // namespace mcpruner
