// This benchmark times sparse convolutions of the shapes that networks are made of, on one thread, each after a check
// against the reference. It prints GFLOP/s of the non-zero weights and what a dense layer would need to be as fast.
//
//     bench [SIMD target] [runs]

#include <cstdio>
#include <random>
#include <utility>

#include "delegate/cpu/testing/micro_kernel_bench.h"
#include "delegate/graph/testing/pattern_layer.h"

namespace mcpruner {
namespace {

struct Layer {
  const char* name;
  int in_channels, out_channels, size, kernel, stride, pad_before, pad_behind, group_size;
  int pattern_size;     // how many positions each pattern keeps
  double kernels_kept;  // which share of the kernels is left
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

Graph MakeGraph(const Layer& l) {
  std::mt19937 rng(1);
  const DenseShape shape{l.out_channels, l.kernel, l.kernel, l.in_channels};
  ConvParams params;
  params.window = {l.stride, l.stride, 1, 1, {l.pad_before, l.pad_behind, l.pad_before, l.pad_behind}};
  params.layer = PatternLayer(rng, {shape, l.group_size, l.pattern_size, l.kernels_kept});
  const int out = WindowOutput(l.size, l.kernel, l.stride, 1, l.pad_before, l.pad_behind);
  return OneOpGraph(OpType::kConv, std::move(params), {1, l.size, l.size, l.in_channels},
                    {1, out, out, l.out_channels});
}

// Returns false if the layer is wrong.
bool BenchLayer(Backend* backend, const Layer& l, int runs) {
  std::printf("%-14s ", l.name);
  const auto times = TimeOp(backend, MakeGraph(l), 1e-5, runs);
  if (!times.has_value()) return false;
  const double gflops = times->MedianGflops();
  std::printf("density %.3f  min %8.1f us  median %8.1f us  %6.1f GFLOP/s (median)  dense-equivalent %6.1f  %s\n",
              times->op.density, times->min_us, times->median_us, gflops, gflops / times->op.density,
              times->op.kernel.c_str());
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
