// Times sparse convolutions of the shapes that networks are made of, on one thread, each after a check against the
// reference. Prints GFLOP/s of the non-zero weights and what a dense layer would need to be as fast.
//
//     bench [SIMD target] [runs]

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "delegate/cpu/cpu_backend.h"
#include "delegate/cpu/kernels/conv/reference.h"
#include "delegate/graph/backend.h"
#include "delegate/graph/testing/pattern_layer.h"

namespace mcpruner {
namespace {

struct Layer {
  const char* name;
  int in_channels, out_channels, size, kernel, stride, pad_before, pad_behind, group_size;
  int pattern_size;     // positions of each pattern
  double kernels_kept;  // share of the kernels
};

constexpr Layer kLayers[] = {
    {"3x3 64", 64, 64, 56, 3, 1, 1, 1, 4, 4, 0.4},        {"3x3 128", 128, 128, 28, 3, 1, 1, 1, 4, 4, 0.4},
    {"3x3 256", 256, 256, 14, 3, 1, 1, 1, 4, 4, 0.4},     {"3x3 512", 512, 512, 7, 3, 1, 1, 1, 4, 4, 0.4},
    {"3x3 s2 64", 64, 128, 56, 3, 2, 0, 1, 4, 4, 0.4},    {"3x3 s2 256", 256, 512, 14, 3, 2, 0, 1, 4, 4, 0.4},
    {"1x1 256", 256, 64, 56, 1, 1, 0, 0, 4, 1, 0.25},     {"1x1 s2 64", 64, 128, 56, 1, 2, 0, 0, 4, 1, 0.178},
    {"1x1 16 112", 16, 96, 112, 1, 1, 0, 0, 4, 1, 0.178}, {"1x1 384 14", 384, 64, 14, 1, 1, 0, 0, 4, 1, 0.178},
    {"1x1 64 14", 64, 384, 14, 1, 1, 0, 0, 4, 1, 0.178},  {"1x1 960 7", 960, 160, 7, 1, 1, 0, 0, 4, 1, 0.178},
    {"7x7 s2 dense", 3, 64, 224, 7, 2, 2, 3, 4, 49, 1},   {"3x3 dense", 64, 64, 56, 3, 1, 1, 1, 4, 9, 1},
    {"3x3 g1 0.1", 64, 64, 56, 3, 1, 1, 1, 1, 1, 0.9},
};

Graph MakeGraph(const Layer& l, std::shared_ptr<const SparseLayer> layer) {
  ConvParams params;
  params.window.stride_h = params.window.stride_w = l.stride;
  params.window.padding = {l.pad_before, l.pad_behind, l.pad_before, l.pad_behind};
  params.layer = std::move(layer);
  const int out = WindowOutput(l.size, l.kernel, l.stride, 1, l.pad_before, l.pad_behind);
  Graph graph;
  graph.tensors.resize(2);
  graph.tensors[0].shape = {1, l.size, l.size, l.in_channels};
  graph.tensors[1].shape = {1, out, out, l.out_channels};
  graph.ops.resize(1);
  graph.ops[0].type = OpType::kConv;
  graph.ops[0].inputs = {0};
  graph.ops[0].output = 1;
  graph.ops[0].params = std::move(params);
  graph.inputs = {0};
  graph.outputs = {1};
  return graph;
}

// Largest difference from the reference over the largest magnitude.
double Error(const Graph& graph, const std::vector<float>& x, const std::vector<float>& y) {
  const auto& params = std::get<ConvParams>(graph.ops[0].params);
  std::vector<float> expected(y.size());
  ConvReference(*params.layer, params.window, graph.tensor(0).shape, x.data(), nullptr, graph.tensor(1).shape,
                expected.data());
  double difference = 0, magnitude = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    difference = std::max(difference, std::fabs(double{y[i]} - expected[i]));
    magnitude = std::max(magnitude, std::fabs(double{expected[i]}));
  }
  return difference / magnitude;
}

// False if the layer is wrong.
bool BenchLayer(Backend* backend, const Layer& l, int runs) {
  std::mt19937 rng(1);
  const DenseShape shape{l.out_channels, l.kernel, l.kernel, l.in_channels};
  const Graph graph = MakeGraph(l, PatternLayer(rng, {shape, l.group_size, l.pattern_size, l.kernels_kept}));
  auto executable = backend->Compile(graph);
  if (!executable.ok()) return false;
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  std::vector<float> x(static_cast<size_t>(graph.tensor(0).shape.size()));
  for (float& v : x) v = uniform(rng);
  std::vector<float> y(static_cast<size_t>(graph.tensor(1).shape.size()));
  const std::vector<const float*> inputs{x.data()};
  const std::vector<float*> outputs{y.data()};
  if (!(*executable)->Run(inputs, outputs).ok() || Error(graph, x, y) > 1e-5) {
    std::printf("%-14s WRONG: error %.2g of the largest output\n", l.name, Error(graph, x, y));
    return false;
  }
  std::vector<double> times;  // of the convolution alone, in us
  OpProfile conv;
  for (int i = 0; i < runs; ++i) {
    (*executable)->SetProfiling(true);
    if (!(*executable)->Run(inputs, outputs).ok()) return false;
    conv = (*executable)->Profile()[1];
    times.push_back(static_cast<double>(conv.nanoseconds) * 1e-3);
  }
  std::sort(times.begin(), times.end());
  const double median = times[times.size() / 2], flops = 2.0 * static_cast<double>(conv.macs);
  std::printf("%-14s density %.3f  min %8.1f us  median %8.1f us  %6.1f GFLOP/s (median)  dense-equivalent %6.1f  %s\n",
              l.name, conv.density, times[0], median, flops / median * 1e-3, flops / median * 1e-3 / conv.density,
              conv.kernel.c_str());
  return true;
}

int Main(int argc, char** argv) {
  CpuOptions options;
  if (argc > 1) options.simd = argv[1];
  const int runs = argc > 2 ? std::max(1, std::atoi(argv[2])) : 200;
  auto backend = CreateCpuBackend(options);
  if (!backend.ok()) {
    std::fprintf(stderr, "%s\n", backend.message().c_str());
    return 2;
  }
  bool right = true;
  for (const Layer& layer : kLayers) right = BenchLayer(backend->get(), layer, runs) && right;
  return right ? 0 : 1;
}

}  // namespace
}  // namespace mcpruner

int main(int argc, char** argv) { return mcpruner::Main(argc, argv); }
