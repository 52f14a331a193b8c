// BuildGraph turns node plans and the sizes of their inputs into the internal graph.
//
// It is called when a partition is prepared, so at each resize. The partitioner also calls it for single nodes, so that
// a node that the graph cannot express is left to TFLite with the reason. A constant operand becomes a constant tensor
// of the graph; what is computed outside becomes a graph input.

#ifndef MCPRUNER_DELEGATE_TFLITE_LOWER_GRAPH_BUILDER_H_
#define MCPRUNER_DELEGATE_TFLITE_LOWER_GRAPH_BUILDER_H_

#include <functional>
#include <vector>

#include "delegate/graph/graph.h"
#include "delegate/tflite/parse/node_plan.h"

namespace mcpruner {

struct BuiltGraph {
  Graph graph;
  std::vector<int> inputs;        // TFLite's numbers of graph.inputs
  std::vector<Dims> output_dims;  // of graph.outputs, in TFLite's rank
};

// `nodes` must be in execution order. `outputs` are TFLite's numbers of the tensors to deliver, each computed by a
// node. `dims_of` returns the sizes of a tensor that no node computes. Errors name the node.
Result<BuiltGraph> BuildGraph(const std::vector<NodePlan>& nodes, const std::vector<int>& outputs,
                              const std::function<Dims(int)>& dims_of);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_LOWER_GRAPH_BUILDER_H_
