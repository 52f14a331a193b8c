#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "delegate/graph/graph.h"
#include "delegate/graph/testing/graph_builder.h"

namespace mcpruner {
namespace {

// The graph is relu(t0) -> t1; t1 + t2 (a constant) -> t3.
Graph Small() {
  GraphBuilder b;
  const int relu = b.Op(OpType::kUnary, {b.Input({1, 2, 2, 3})}, UnaryParams{});
  const int constant = b.Constant({1, 1, 1, 3}, {1, 2, 3});
  return b.Finish({b.Op(OpType::kAdd, {relu, constant}, {}, Activation::kRelu)});
}

template <typename Change>
std::string ErrorAfter(const Change& change) {
  Graph graph = Small();
  change(graph);
  return ValidateGraph(graph).message();
}

TEST(ValidateGraphTest, AcceptsAGraph) {
  EXPECT_EQ(ErrorAfter([](Graph&) {}), "");
  EXPECT_EQ(ErrorAfter([](Graph& g) { g.outputs = {0, 1, 2, 3, 3}; }), "");  // any tensor, more than once
  EXPECT_EQ(ValidateGraph(Graph{}).message(), "");
}

TEST(ValidateGraphTest, ChecksTensors) {
  EXPECT_EQ(ErrorAfter([](Graph& g) { g.tensor(1).type = DataType::kInt8; }), "tensor 1 ('t1'): expected float32");
  EXPECT_EQ(ErrorAfter([](Graph& g) { g.tensor(0).shape.h = -1; }),
            "tensor 0 ('t0'): expected dimensions of at least 0, got -1");
  EXPECT_EQ(ErrorAfter([](Graph& g) { g.tensor(2).shape.c = 4; }),
            "tensor 2 ('t2'): expected 4 constant elements, got 3");
}

TEST(ValidateGraphTest, ChecksTheEnds) {
  EXPECT_EQ(ErrorAfter([](Graph& g) { g.inputs = {0, 0}; }), "graph input 0 is no tensor, a constant or given twice");
  EXPECT_EQ(ErrorAfter([](Graph& g) { g.inputs = {0, 2}; }), "graph input 2 is no tensor, a constant or given twice");
  EXPECT_EQ(ErrorAfter([](Graph& g) { g.inputs = {0, 9}; }), "graph input 9 is no tensor, a constant or given twice");
  EXPECT_EQ(ErrorAfter([](Graph& g) { g.outputs = {-1}; }), "graph output -1 is computed by no op");
  EXPECT_EQ(ErrorAfter([](Graph& g) { g.tensors.push_back({}), g.outputs = {4}; }),
            "graph output 4 is computed by no op");
}

TEST(ValidateGraphTest, ChecksTheOrder) {
  EXPECT_EQ(ErrorAfter([](Graph& g) { std::swap(g.ops[0], g.ops[1]); }),
            "op 0 (Add 't3'): input 1 is used before it is computed");
  EXPECT_EQ(ErrorAfter([](Graph& g) { g.inputs = {}; }), "op 0 (Unary 't1'): input 0 is used before it is computed");
  EXPECT_EQ(ErrorAfter([](Graph& g) { g.ops[0].inputs = {4}; }),
            "op 0 (Unary 't1'): input 4 is no tensor of the graph");
  EXPECT_EQ(ErrorAfter([](Graph& g) { g.ops[0].output = 4; }), "op 0 (Unary 't1'): output 4 is no tensor of the graph");
  for (const int taken : {0, 1, 2}) {
    EXPECT_EQ(ErrorAfter([&](Graph& g) { g.ops[1].output = taken; }),
              "op 1 (Add 't3'): output " + std::to_string(taken) + " is a constant, an input or already computed");
  }
}

TEST(ValidateGraphTest, ChecksEachOp) {
  EXPECT_EQ(ErrorAfter([](Graph& g) { g.tensor(3).shape.w = 3; }),
            "op 1 (Add 't3'): expected the output shape [1, 2, 2, 3], got [1, 2, 3, 3]");
  EXPECT_EQ(ErrorAfter([](Graph& g) { g.ops[0].activation = Activation::kRelu; }),
            "op 0 (Unary 't1'): this type of op takes no activation; use a Unary op after it");
  EXPECT_EQ(
      ErrorAfter([](Graph& g) { g.ops[0].type = OpType::kReshape, g.ops[0].params = {}, g.tensor(1).shape.h = 1; }),
      "op 0 (Reshape 't1'): expected as many elements as the input [1, 2, 2, 3] has, got [1, 1, 2, 3]");
}

}  // namespace
}  // namespace mcpruner
