// GraphBuilder builds graphs for tests in one line per op: it infers the shapes and gives the names.
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
  // Each of these returns the number of the tensor that it makes. An op that does not fit its inputs fails the test.
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

// Makes a random valid graph of about 12 ops of all types, among them ops that FuseGraph can fold. It has one input, of
// batch 1 to 3. Its last tensor is an output, and now and then another one is too.
Graph RandomGraph(uint32_t seed);

// Runs the graph twice, with the executable's memory filled with NaN before the first run and with 1e30 before the
// second; inputs[i] is for graph.inputs[i]. The test fails on an error, and where the two results differ in a bit: then
// a run has read something that was left in memory.
std::vector<std::vector<float>> RunPoisoned(Executable& executable, const Graph& graph,
                                            const std::vector<std::vector<float>>& inputs);
// Compiles a graph and runs it by RunPoisoned.
std::vector<std::vector<float>> RunGraph(Backend& backend, const Graph& graph,
                                         const std::vector<std::vector<float>>& inputs);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_TESTING_GRAPH_BUILDER_H_
