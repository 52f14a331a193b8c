// Times depthwise convolutions of the shapes that networks are made of, on one thread, each after a check against the
// reference.
//
//     bench [SIMD target] [runs]

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "delegate/cpu/cpu_backend.h"
#include "delegate/cpu/kernels/depthwise_conv/reference.h"
#include "delegate/graph/backend.h"

namespace mcpruner {
namespace {

struct Layer {
  int channels, size, kernel, stride;
};

constexpr Layer kLayers[] = {
    {8, 14, 3, 1},   {8, 56, 3, 1},   {32, 112, 3, 1}, {96, 112, 3, 2}, {144, 56, 3, 1}, {192, 28, 3, 1},
    {192, 28, 3, 2}, {384, 14, 3, 1}, {960, 7, 3, 1},  {144, 56, 5, 2}, {240, 28, 5, 1}, {672, 14, 5, 1},
};

std::vector<float> Random(std::mt19937& rng, int64_t size) {
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  std::vector<float> values(static_cast<size_t>(size));
  for (float& v : values) v = uniform(rng);
  return values;
}

Graph MakeGraph(std::mt19937& rng, const Layer& l) {
  DepthwiseParams params;
  params.kernel_height = params.kernel_width = l.kernel;
  const int before = (l.kernel - l.stride) / 2, behind = l.kernel / 2;
  params.window = {l.stride, l.stride, 1, 1, {before, behind, before, behind}};
  params.weights = std::make_shared<const std::vector<float>>(Random(rng, l.kernel * l.kernel * l.channels));
  params.bias = std::make_shared<const std::vector<float>>(Random(rng, l.channels));
  const int out = WindowOutput(l.size, l.kernel, l.stride, 1, before, behind);
  Graph graph;
  graph.tensors.resize(2);
  graph.tensors[0].shape = {1, l.size, l.size, l.channels};
  graph.tensors[1].shape = {1, out, out, l.channels};
  graph.ops.resize(1);
  graph.ops[0].type = OpType::kDepthwiseConv;
  graph.ops[0].inputs = {0};
  graph.ops[0].output = 1;
  graph.ops[0].params = std::move(params);
  graph.inputs = {0};
  graph.outputs = {1};
  return graph;
}

// False if the layer is wrong.
bool BenchLayer(Backend* backend, const Layer& l, int runs) {
  std::mt19937 rng(1);
  const Graph graph = MakeGraph(rng, l);
  auto executable = backend->Compile(graph);
  if (!executable.ok()) return false;
  const std::vector<float> x = Random(rng, graph.tensor(0).shape.size());
  std::vector<float> y(static_cast<size_t>(graph.tensor(1).shape.size())), expected(y.size());
  const std::vector<const float*> inputs{x.data()};
  const std::vector<float*> outputs{y.data()};
  DepthwiseConvReference(std::get<DepthwiseParams>(graph.ops[0].params), graph.tensor(0).shape, x.data(),
                         graph.tensor(1).shape, expected.data());
  bool right = (*executable)->Run(inputs, outputs).ok();
  for (size_t i = 0; i < y.size(); ++i) right = right && std::fabs(y[i] - expected[i]) < 1e-5f;
  std::printf("%4d channels, %3d x %3d, kernel %d, stride %d: ", l.channels, l.size, l.size, l.kernel, l.stride);
  if (!right) {
    std::printf("WRONG\n");
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
  std::printf("min %7.1f us  median %7.1f us  %6.1f GFLOP/s (median)  %s\n", times[0], median, flops / median * 1e-3,
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
