// This counts what an op costs from the graph alone: the part of a profile that no backend needs to measure.

#ifndef MCPRUNER_DELEGATE_GRAPH_OP_STATS_H_
#define MCPRUNER_DELEGATE_GRAPH_OP_STATS_H_

#include <cstdint>
#include <string>

#include "delegate/graph/backend.h"
#include "delegate/graph/graph.h"

namespace mcpruner {

// Counts a layer's values, kernel and run indices, patterns, permutation and bias, as SparseLayer holds them.
int64_t LayerBytes(const SparseLayer& layer);

// Counts the op's weights in the graph (LayerBytes, or depthwise weights and bias); 0 where it has none.
int64_t OpWeightBytes(const Op& op);

// Returns a profile of no runs. `kernel` is empty, and `bytes` counts NHWC float32 tensors and OpWeightBytes; a backend
// that packs otherwise overwrites both.
OpProfile DescribeOp(const Graph& graph, const Op& op);

// Returns a profile of no runs for a conversion at an end of the graph, `type` "Pack" or "Unpack": between NHWC float32
// and the backend's own layout, in which an element has `packed_bytes`.
OpProfile DescribeConversion(const Graph& graph, int tensor, const char* type, const std::string& kernel,
                             int64_t packed_bytes);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_OP_STATS_H_
