// What the benchmark runs: layers and whole networks of the shapes that people use, with random weights.

#ifndef MCPRUNER_DELEGATE_OPENCL_BENCH_NETWORKS_H_
#define MCPRUNER_DELEGATE_OPENCL_BENCH_NETWORKS_H_

#include <string>
#include <vector>

#include "delegate/graph/graph.h"

namespace mcpruner {

// A square convolution with SAME padding.
struct ConvShape {
  int in_channels, out_channels, size, kernel, stride;  // `size`: of the input
  int count = 1;                                        // of such layers in the network
  std::string Name() const;                             // "64x56x56 -> 128, 3x3 s2"
};

std::vector<ConvShape> PrototypeLayers();  // of the design's table
std::vector<ConvShape> Vgg16Layers();      // without the one of 3 input channels
std::vector<ConvShape> ResNet18Layers();

// `density` 1: full patterns; else patterns of 4 of 9 positions, or whole kernels of 1x1, in groups of 4 filters.
Graph LayerGraph(const ConvShape& shape, int batch, double density);
Graph Vgg16(int batch, double density);
Graph ResNet18(int batch, double density);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_OPENCL_BENCH_NETWORKS_H_
