// The benchmark runs these: layers and whole networks of the shapes that people use, with random weights.

#ifndef MCPRUNER_DELEGATE_OPENCL_BENCH_NETWORKS_H_
#define MCPRUNER_DELEGATE_OPENCL_BENCH_NETWORKS_H_

#include <string>
#include <vector>

#include "delegate/graph/graph.h"

namespace mcpruner {

// A ConvShape is a square convolution with SAME padding.
struct ConvShape {
  int in_channels, out_channels, size, kernel, stride;  // `size`: of the input
  int count = 1;                                        // how many such layers the network has
  std::string Name() const;                             // "64x56x56 -> 128, 3x3 s2"
};

std::vector<ConvShape> PrototypeLayers();  // those of the design's table
std::vector<ConvShape> Vgg16Layers();      // all but the one of 3 input channels
std::vector<ConvShape> ResNet18Layers();

// With `density` 1 all patterns are full. Otherwise patterns have 4 of 9 positions, or whole kernels of 1x1 are left
// out, in groups of 4 filters.
Graph LayerGraph(const ConvShape& shape, int batch, double density);
Graph Vgg16(int batch, double density);
Graph ResNet18(int batch, double density);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_OPENCL_BENCH_NETWORKS_H_
