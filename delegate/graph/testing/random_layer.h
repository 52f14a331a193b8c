// These make random layers and numbers for tests, the same in every run of one build.

#ifndef MCPRUNER_DELEGATE_GRAPH_TESTING_RANDOM_LAYER_H_
#define MCPRUNER_DELEGATE_GRAPH_TESTING_RANDOM_LAYER_H_

#include <memory>
#include <random>
#include <vector>

#include "delegate/graph/weights/sparse_layer.h"

namespace mcpruner {

// Returns a number in 0 .. n - 1.
int RandomBelow(std::mt19937& rng, int n);

// Returns `size` floats in -1 .. 1.
std::vector<float> RandomFloats(std::mt19937& rng, int64_t size);

// Makes a valid layer with `num_patterns` random patterns (fewer where the kernel has fewer; with 0, the full pattern
// alone). In each group, about `density` of the input channels have a kernel (0: none at all, 1: all). The permutation
// is shuffled, and biases are random.
std::shared_ptr<const SparseLayer> RandomLayer(std::mt19937& rng, LayerKind kind, const DenseShape& shape,
                                               int group_size, int num_patterns, double density);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_TESTING_RANDOM_LAYER_H_
