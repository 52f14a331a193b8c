// Builds graphs for tests in one line per op: shapes are inferred, names are given.
//
//     GraphBuilder b;
//     const int x = b.Input({1, 8, 8, 4});
//     const int y = b.Op(OpType::kUnary, {x}, UnaryParams{UnaryFunction::kRelu});
//     const Graph graph = b.Finish({y});

#ifndef MCPRUNER_DELEGATE_GRAPH_TESTING_GRAPH_BUILDER_H_
#define MCPRUNER_DELEGATE_GRAPH_TESTING_GRAPH_BUILDER_H_

#include <vector>

#include "delegate/graph/backend.h"
#include "delegate/graph/graph.h"

namespace mcpruner {

class GraphBuilder {
 public:
  // Each returns the number of the tensor it makes; an op that does not fit its inputs fails the test.
  int Input(const Shape& shape);
  int Constant(const Shape& shape, std::vector<float> data);
  int Op(OpType type, std::vector<int> inputs, OpParams params = {}, Activation activation = Activation::kNone);
  int Reshape(int x, const Shape& shape);

  const Shape& shape(int tensor) const { return graph_.tensor(tensor).shape; }
  Graph Finish(std::vector<int> outputs);

 private:
  int AddTensor(const Shape& shape);

  Graph graph_;
};

// A random valid graph of about 12 ops of all types, with ops that FuseGraph can fold; its last tensor and now and then
// another are outputs. One input, batch 1 to 3.
Graph RandomGraph(uint32_t seed);

// One run for each of two poisons, NaN and 1e30, that fill the executable's memory before it; inputs[i] is for
// graph.inputs[i]. Fails the test on an error, and where the two results differ in a bit: what differs was left in
// memory.
std::vector<std::vector<float>> RunPoisoned(Executable& executable, const Graph& graph,
                                            const std::vector<std::vector<float>>& inputs);
// Compiles a graph and runs it so.
std::vector<std::vector<float>> RunGraph(Backend& backend, const Graph& graph,
                                         const std::vector<std::vector<float>>& inputs);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_TESTING_GRAPH_BUILDER_H_
