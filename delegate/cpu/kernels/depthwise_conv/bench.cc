// This benchmark times depthwise convolutions of the shapes that networks are made of, on one thread, each after a
// check against the reference.
//
//     bench [SIMD target] [runs]

#include <cstdio>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "delegate/cpu/testing/micro_kernel_bench.h"

namespace mcpruner {
namespace {

struct Layer {
  int channels, size, kernel, stride;
};

constexpr Layer kLayers[] = {
    {8, 14, 3, 1},   {8, 56, 3, 1},   {32, 112, 3, 1}, {96, 112, 3, 2}, {144, 56, 3, 1}, {192, 28, 3, 1},
    {192, 28, 3, 2}, {384, 14, 3, 1}, {960, 7, 3, 1},  {144, 56, 5, 2}, {240, 28, 5, 1}, {672, 14, 5, 1},
};

Graph MakeGraph(const Layer& l) {
  std::mt19937 rng(1);
  DepthwiseParams params;
  params.kernel_height = params.kernel_width = l.kernel;
  const int before = (l.kernel - l.stride) / 2, behind = l.kernel / 2;
  params.window = {l.stride, l.stride, 1, 1, {before, behind, before, behind}};
  params.weights = std::make_shared<const std::vector<float>>(UniformFloats(rng, l.kernel * l.kernel * l.channels));
  params.bias = std::make_shared<const std::vector<float>>(UniformFloats(rng, l.channels));
  const int out = WindowOutput(l.size, l.kernel, l.stride, 1, before, behind);
  return OneOpGraph(OpType::kDepthwiseConv, std::move(params), {1, l.size, l.size, l.channels},
                    {1, out, out, l.channels});
}

// Returns false if the layer is wrong.
bool BenchLayer(Backend* backend, const Layer& l, int runs) {
  std::printf("%4d channels, %3d x %3d, kernel %d, stride %d: ", l.channels, l.size, l.size, l.kernel, l.stride);
  const auto times = TimeOp(backend, MakeGraph(l), 1e-6, runs);
  if (!times.has_value()) return false;
  std::printf("min %7.1f us  median %7.1f us  %6.1f GFLOP/s (median)  %s\n", times->min_us, times->median_us,
              times->MedianGflops(), times->op.kernel.c_str());
  return true;
}

bool BenchLayers(Backend* backend, int runs) {
  bool right = true;
  for (const Layer& layer : kLayers) right = BenchLayer(backend, layer, runs) && right;
  return right;
}

}  // namespace
}  // namespace mcpruner

int main(int argc, char** argv) { return mcpruner::BenchMain(argc, argv, 200, mcpruner::BenchLayers); }
