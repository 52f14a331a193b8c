#include "delegate/graph/passes/lifetimes.h"

#include <gtest/gtest.h>

#include <vector>

#include "delegate/graph/testing/graph_builder.h"

namespace mcpruner {
namespace {

int Relu(GraphBuilder& b, int x) { return b.Op(OpType::kUnary, {x}, UnaryParams{}); }

void ExpectLifetime(const Lifetime& lifetime, int first_op, int last_op) {
  EXPECT_EQ(lifetime.first_op, first_op);
  EXPECT_EQ(lifetime.last_op, last_op);
}

TEST(LifetimesTest, FromTheOpThatWritesToTheLastThatReads) {
  GraphBuilder b;
  const int x = b.Input({1, 1, 1, 1});
  const int a = Relu(b, x);                  // op 0
  const int c = Relu(b, a);                  // op 1
  const int d = b.Op(OpType::kAdd, {a, c});  // op 2
  const int unread = Relu(b, d);             // op 3
  const int last = Relu(b, d);               // op 4
  const auto lifetimes = TensorLifetimes(b.Finish({last}));
  ExpectLifetime(lifetimes[static_cast<size_t>(x)], 0, 0);
  ExpectLifetime(lifetimes[static_cast<size_t>(a)], 0, 2);
  ExpectLifetime(lifetimes[static_cast<size_t>(c)], 1, 2);
  ExpectLifetime(lifetimes[static_cast<size_t>(d)], 2, 4);
  ExpectLifetime(lifetimes[static_cast<size_t>(unread)], 3, 3);  // written all the same
  ExpectLifetime(lifetimes[static_cast<size_t>(last)], 4, 4);
}

TEST(LifetimesTest, InputsAndOutputsReachTheEnds) {
  GraphBuilder b;
  const int x = b.Input({1, 1, 1, 1}), late = b.Input({1, 1, 1, 1}), unused = b.Input({1, 1, 1, 1});
  const int a = Relu(b, x), c = Relu(b, late);
  const auto lifetimes = TensorLifetimes(b.Finish({a, c, x}));
  ExpectLifetime(lifetimes[static_cast<size_t>(x)], 0, 1);  // an output as well
  ExpectLifetime(lifetimes[static_cast<size_t>(late)], 0, 1);
  ExpectLifetime(lifetimes[static_cast<size_t>(unused)], 0, 0);
  ExpectLifetime(lifetimes[static_cast<size_t>(a)], 0, 1);
  ExpectLifetime(lifetimes[static_cast<size_t>(c)], 1, 1);
}

TEST(LifetimesTest, ConstantsAndForgottenTensorsHaveNone) {
  GraphBuilder b;
  const int constant = b.Constant({1, 1, 1, 1}, {1});
  const int y = b.Op(OpType::kAdd, {b.Input({1, 1, 1, 1}), constant});
  Graph graph = b.Finish({y, constant});
  graph.tensors.push_back({});
  const auto lifetimes = TensorLifetimes(graph);
  EXPECT_TRUE(lifetimes[static_cast<size_t>(constant)].empty());
  EXPECT_TRUE(lifetimes.back().empty());
  EXPECT_FALSE(lifetimes[static_cast<size_t>(y)].empty());
}

TEST(LifetimesTest, AGraphWithoutOpsPassesItsInputs) {
  GraphBuilder b;
  const int x = b.Input({1, 1, 1, 1});
  ExpectLifetime(TensorLifetimes(b.Finish({x}))[static_cast<size_t>(x)], 0, 0);
}

TEST(LifetimesTest, ReadersAreOpsAndTheCaller) {
  GraphBuilder b;
  const int x = b.Input({1, 1, 1, 1});
  const int a = Relu(b, x), twice = b.Op(OpType::kMul, {a, a}), unread = Relu(b, a);
  const std::vector<int> readers = CountReaders(b.Finish({twice, a}));
  EXPECT_EQ(readers[static_cast<size_t>(x)], 1);
  EXPECT_EQ(readers[static_cast<size_t>(a)], 4);
  EXPECT_EQ(readers[static_cast<size_t>(twice)], 1);
  EXPECT_EQ(readers[static_cast<size_t>(unread)], 0);
}

}  // namespace
}  // namespace mcpruner
