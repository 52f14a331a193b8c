#include "delegate/cpu/kernels/fully_connected/reference.h"

#include <algorithm>
#include <vector>

namespace mcpruner {
namespace {

// Computes one row. `values` are the layer's as float32.
void MultiplyRow(const SparseLayer& layer, const std::vector<float>& values, const float* x, float* y) {
  const uint16_t* channel = layer.channels.data();
  const float* value = values.data();
  for (int g = 0; g < layer.num_groups(); ++g) {
    std::vector<double> sums(static_cast<size_t>(layer.group_size));
    for (uint32_t r = layer.group_run_begin[static_cast<size_t>(g)];
         r < layer.group_run_begin[static_cast<size_t>(g) + 1]; ++r) {
      for (int k = 0; k < layer.runs[r].count; ++k, ++channel) {
        for (double& sum : sums) sum += double{*value++} * x[*channel];
      }
    }
    const int first = g * layer.group_size, filters = std::min(layer.group_size, layer.out_channels - first);
    for (int f = 0; f < filters; ++f) {
      const size_t o = layer.permutation[static_cast<size_t>(first + f)];
      y[o] = static_cast<float>(sums[static_cast<size_t>(f)] + layer.bias[o]);
    }
  }
}

}  // namespace

void FullyConnectedReference(const SparseLayer& layer, int rows, const float* x, float* y) {
  const std::vector<float> values = FloatValues(layer);
  for (int row = 0; row < rows; ++row) {
    MultiplyRow(layer, values, x + int64_t{row} * layer.in_channels, y + int64_t{row} * layer.out_channels);
  }
}

}  // namespace mcpruner
