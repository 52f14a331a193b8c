#include "delegate/cpu/kernels/fully_connected/reference.h"

#include "delegate/cpu/kernels/conv/reference.h"

namespace mcpruner {

void FullyConnectedReference(const SparseLayer& layer, int rows, const float* x, float* y) {
  ConvReference(layer, Window{}, {rows, 1, 1, layer.in_channels}, x, nullptr, {rows, 1, 1, layer.out_channels}, y);
}

}  // namespace mcpruner
