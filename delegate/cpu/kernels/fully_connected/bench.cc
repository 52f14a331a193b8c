// This benchmark times fully-connected layers of the shapes that networks are made of, in each value type, on one
// thread, each after a check against the reference. It prints GB/s of the weights as they are held: values, channels
// and what belongs to them.
//
//     bench [SIMD target] [runs]

#include <cstdio>
#include <memory>
#include <numeric>
#include <random>

#include "delegate/cpu/testing/micro_kernel_bench.h"
#include "delegate/graph/op_stats.h"

namespace mcpruner {
namespace {

struct Layer {
  int in_channels, out_channels, group_size, rows;
  double density;
};

constexpr Layer kLayers[] = {
    {25088, 4096, 4, 1, 0.178}, {25088, 4096, 16, 1, 0.178}, {4096, 4096, 4, 1, 0.178},
    {4096, 4096, 4, 8, 0.178},  {4096, 1000, 4, 1, 1},       {512, 1000, 4, 1, 1},
    {1280, 1000, 4, 1, 1},      {512, 1000, 16, 1, 1},       {1280, 1000, 1, 1, 0.178},
};

struct Type {
  const char* name;
  ValueType type;
};
constexpr Type kTypes[] = {
    {"float32", ValueType::kFloat32}, {"float16", ValueType::kFloat16}, {"int8", ValueType::kInt8}};

// Adds `count` values of magnitudes up to 1; those in half precision are 0.25 .. 0.5 and 1 .. 2, which its bits make
// easily.
void AddValues(std::mt19937& rng, size_t count, SparseLayer* layer) {
  layer->values.reserve(layer->keeps_narrow() ? 0 : count);
  layer->narrow.reserve(layer->keeps_narrow() ? count * 2 : 0);
  for (size_t i = 0; i < count; ++i) {
    const auto bits = static_cast<uint32_t>(rng());  // 32 bits, however wide the generator's numbers are
    if (!layer->keeps_narrow()) {
      layer->values.push_back(static_cast<float>(bits % 2001) * 1e-3f - 1.0f);
    } else if (layer->value_type == ValueType::kInt8) {
      layer->narrow.push_back(static_cast<uint8_t>(bits % 255 + 129));  // -127 .. 127
    } else {
      layer->narrow.push_back(static_cast<uint8_t>(bits));
      layer->narrow.push_back(static_cast<uint8_t>(0x34 | (bits >> 8 & 0x8b)));
    }
  }
  if (layer->value_type == ValueType::kInt8) layer->scales.assign(static_cast<size_t>(layer->out_channels), 0.01f);
}

// Makes a layer whose out_channels are a multiple of group_size: a remainder is left out.
std::shared_ptr<const SparseLayer> MakeLayer(std::mt19937& rng, const Layer& l, ValueType type) {
  auto layer = std::make_shared<SparseLayer>();
  layer->kind = LayerKind::kFullyConnected;
  layer->value_type = type;
  layer->in_channels = l.in_channels;
  layer->out_channels = l.out_channels / l.group_size * l.group_size;
  layer->group_size = l.group_size;
  layer->patterns = {1};
  layer->group_run_begin.push_back(0);
  for (int g = 0; g < layer->num_groups(); ++g) {
    const size_t before = layer->channels.size();
    for (int c = 0; c < l.in_channels; ++c) {
      if (rng() % 1000 < l.density * 1000) layer->channels.push_back(static_cast<uint16_t>(c));
    }
    layer->runs.push_back({0, static_cast<uint16_t>(layer->channels.size() - before)});
    layer->group_run_begin.push_back(static_cast<uint32_t>(layer->runs.size()));
  }
  AddValues(rng, layer->channels.size() * static_cast<size_t>(l.group_size), layer.get());
  layer->permutation.resize(static_cast<size_t>(layer->out_channels));
  std::iota(layer->permutation.begin(), layer->permutation.end(), uint16_t{0});
  layer->bias.resize(static_cast<size_t>(layer->out_channels));
  return layer;
}

// Returns false if the layer is wrong.
bool BenchLayer(Backend* backend, const Layer& l, const Type& type, int runs) {
  std::mt19937 rng(1);
  const auto layer = MakeLayer(rng, l, type.type);
  const Graph graph = OneOpGraph(OpType::kFullyConnected, FullyConnectedParams{layer},
                                 {l.rows, 1, 1, layer->in_channels}, {l.rows, 1, 1, layer->out_channels});
  const auto bytes = static_cast<double>(LayerBytes(*layer));
  std::printf("%5d -> %4d g%-2d density %.3f %d rows %-7s %5.1f MB  ", l.in_channels, l.out_channels, l.group_size,
              l.density, l.rows, type.name, bytes * 1e-6);
  const auto times = TimeOp(backend, graph, 1e-5, runs);
  if (!times.has_value()) return false;
  std::printf("min %8.1f us (%5.1f GB/s)  median %8.1f us (%5.1f GB/s)\n", times->min_us, bytes / times->min_us * 1e-3,
              times->median_us, bytes / times->median_us * 1e-3);
  return true;
}

bool BenchLayers(Backend* backend, int runs) {
  bool right = true;
  for (const Layer& layer : kLayers) {
    for (const Type& type : kTypes) right = BenchLayer(backend, layer, type, runs) && right;
  }
  return right;
}

}  // namespace
}  // namespace mcpruner

int main(int argc, char** argv) { return mcpruner::BenchMain(argc, argv, 100, mcpruner::BenchLayers); }
