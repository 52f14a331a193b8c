#include "delegate/graph/testing/random_layer.h"

#include <algorithm>
#include <numeric>

namespace mcpruner {
namespace {

std::vector<uint64_t> RandomPatterns(std::mt19937& rng, int positions, int count) {
  const uint64_t all = FullPattern(positions);
  std::vector<uint64_t> patterns;
  for (int attempt = 0; attempt < 4 * count; ++attempt) {
    const uint64_t high = rng(), low = rng();  // one after the other: compilers differ in the order of operands
    const uint64_t bits = (high << 32 | low) & all;
    const bool is_new = std::find(patterns.begin(), patterns.end(), bits) == patterns.end();
    if (bits != 0 && is_new && static_cast<int>(patterns.size()) < count) patterns.push_back(bits);
  }
  if (patterns.empty()) patterns.push_back(all);
  return patterns;
}

// Adds the values of one kernel of group g. Lanes beyond the last filter are zero.
void AddKernel(std::mt19937& rng, int g, int channel, uint64_t pattern, SparseLayer* layer) {
  layer->channels.push_back(static_cast<uint16_t>(channel));
  for (; pattern != 0; pattern &= pattern - 1) {
    const std::vector<float> values = RandomFloats(rng, layer->group_size);
    for (int f = 0; f < layer->group_size; ++f) {
      const bool real = g * layer->group_size + f < layer->out_channels;
      layer->values.push_back(real ? values[static_cast<size_t>(f)] : 0.0f);
    }
  }
}

void AddGroup(std::mt19937& rng, int g, double density, SparseLayer* layer) {
  std::vector<int> pattern_of(static_cast<size_t>(layer->in_channels), -1);  // -1: pruned
  for (int& pattern : pattern_of) {
    if (RandomBelow(rng, 1000) < density * 1000) pattern = RandomBelow(rng, static_cast<int>(layer->patterns.size()));
  }
  for (size_t p = 0; p < layer->patterns.size(); ++p) {
    const auto count = std::count(pattern_of.begin(), pattern_of.end(), static_cast<int>(p));
    if (count == 0) continue;
    layer->runs.push_back({static_cast<uint16_t>(p), static_cast<uint16_t>(count)});
    for (int c = 0; c < layer->in_channels; ++c) {
      if (pattern_of[static_cast<size_t>(c)] == static_cast<int>(p)) AddKernel(rng, g, c, layer->patterns[p], layer);
    }
  }
  layer->group_run_begin.push_back(static_cast<uint32_t>(layer->runs.size()));
}

}  // namespace

int RandomBelow(std::mt19937& rng, int n) { return static_cast<int>(rng() % static_cast<uint32_t>(n)); }

std::vector<float> RandomFloats(std::mt19937& rng, int64_t size) {
  std::vector<float> values(static_cast<size_t>(size));
  for (float& v : values) v = static_cast<float>(RandomBelow(rng, 2000001) - 1000000) * 1e-6f;
  return values;
}

std::shared_ptr<const SparseLayer> RandomLayer(std::mt19937& rng, LayerKind kind, const DenseShape& shape,
                                               int group_size, int num_patterns, double density) {
  auto layer = std::make_shared<SparseLayer>();
  layer->kind = kind;
  layer->kernel_height = shape.kernel_height;
  layer->kernel_width = shape.kernel_width;
  layer->in_channels = shape.in_channels;
  layer->out_channels = shape.out_channels;
  layer->group_size = group_size;
  layer->patterns = RandomPatterns(rng, shape.kernel_height * shape.kernel_width, num_patterns);
  layer->group_run_begin.push_back(0);
  for (int g = 0; g < layer->num_groups(); ++g) AddGroup(rng, g, density, layer.get());
  layer->permutation.resize(static_cast<size_t>(shape.out_channels));
  std::iota(layer->permutation.begin(), layer->permutation.end(), uint16_t{0});
  std::shuffle(layer->permutation.begin(), layer->permutation.end(), rng);
  layer->bias = RandomFloats(rng, shape.out_channels);
  return layer;
}

}  // namespace mcpruner
