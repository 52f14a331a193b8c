// Layers as the converter makes them, for benchmarks: whole kernels of filter groups, with few patterns.

#ifndef MCPRUNER_DELEGATE_GRAPH_TESTING_PATTERN_LAYER_H_
#define MCPRUNER_DELEGATE_GRAPH_TESTING_PATTERN_LAYER_H_

#include <memory>
#include <random>

#include "delegate/graph/weights/sparse_layer.h"

namespace mcpruner {

struct PatternShape {
  DenseShape shape;
  int group_size = 4;
  int pattern_size = 1;       // positions of each of 8 random patterns; all of them: one full pattern
  double kernels_kept = 1.0;  // share of them
  LayerKind kind = LayerKind::kConv2D;
};

// With He-uniform weights for what is kept, filters in order, and biases of 0.
std::shared_ptr<const SparseLayer> PatternLayer(std::mt19937& rng, const PatternShape& pattern);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_TESTING_PATTERN_LAYER_H_
