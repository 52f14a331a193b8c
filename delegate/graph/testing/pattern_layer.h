// PatternLayer makes layers as the converter does, for benchmarks: whole kernels of filter groups, with few patterns.

#ifndef MCPRUNER_DELEGATE_GRAPH_TESTING_PATTERN_LAYER_H_
#define MCPRUNER_DELEGATE_GRAPH_TESTING_PATTERN_LAYER_H_

#include <memory>
#include <random>

#include "delegate/graph/weights/sparse_layer.h"

namespace mcpruner {

struct PatternShape {
  DenseShape shape;
  int group_size = 4;
  int pattern_size = 1;       // kernel positions in each of 8 random patterns; all of them make one full pattern
  double kernels_kept = 1.0;  // the share of kernels that are kept
  LayerKind kind = LayerKind::kConv2D;
};

// Weights that are kept are He-uniform, filters are in order, biases are 0.
std::shared_ptr<const SparseLayer> PatternLayer(std::mt19937& rng, const PatternShape& pattern);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_TESTING_PATTERN_LAYER_H_
