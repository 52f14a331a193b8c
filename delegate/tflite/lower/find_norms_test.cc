// These tests write normalizations as converters do, in TFLite's operators, and compare what the graph computes with
// the same operators one by one, at sizes that one op can normalize and at others.

#include "delegate/tflite/lower/find_norms.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "delegate/cpu/cpu_backend.h"
#include "delegate/graph/passes/fusion.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"
#include "delegate/tflite/lower/graph_builder.h"

namespace mcpruner {
namespace {

// Plans under construction. Tensor 0 is x; every call returns the number of what it makes.
struct Plans {
  int Add(OpType type, std::vector<Operand> inputs, OpParams params = {}) {
    NodePlan plan;
    plan.type = type;
    plan.name = "t" + std::to_string(next);
    plan.inputs = std::move(inputs);
    plan.output = next;
    plan.params = params;
    list.push_back(plan);
    return next++;
  }
  int Mean(int x, const Dims& axes) {
    const int y = Add(OpType::kMean, {Of(x)});
    list.back().deferred = ReduceAxes{axes, true};
    return y;
  }
  int Unary(UnaryFunction function, int x) { return Add(OpType::kUnary, {Of(x)}, UnaryParams{function}); }
  int Two(OpType type, int a, int b) { return Add(type, {Of(a), Of(b)}); }
  int Two(OpType type, int a, const Operand& constant) { return Add(type, {Of(a), constant}); }

  static Operand Of(int tensor) {
    Operand operand;
    operand.tensor = tensor;
    return operand;
  }
  Operand Constant(const Dims& dims) {
    int64_t size = 1;
    for (const int dim : dims) size *= dim;
    Operand operand;
    operand.tensor = next++;
    operand.constant = std::make_shared<const std::vector<float>>(RandomFloats(rng, size));
    operand.constant_dims = dims;
    return operand;
  }
  Operand Epsilon() {
    Operand operand = Constant({});
    operand.constant = std::make_shared<const std::vector<float>>(1, 0.01f);
    return operand;
  }

  std::vector<NodePlan> list;
  int next = 1;
  std::mt19937 rng{1};
};

int Variance(Plans* p, int mean, const Dims& axes) {
  return p->Mean(p->Two(OpType::kSquaredDifference, 0, mean), axes);
}

// This is how TensorFlow writes it: x * (factor * scale) + (-mean * (factor * scale) + shift).
void Folded(Plans* p, const Dims& axes, const Dims& constants) {
  const int mean = p->Mean(0, axes), negative = p->Unary(UnaryFunction::kNeg, mean);
  const int spread = p->Two(OpType::kAdd, Variance(p, mean, axes), p->Epsilon());
  const int factor = p->Two(OpType::kMul, p->Unary(UnaryFunction::kRsqrt, spread), p->Constant(constants));
  const int shift = p->Two(OpType::kAdd, p->Two(OpType::kMul, negative, factor), p->Constant(constants));
  p->Two(OpType::kAdd, p->Two(OpType::kMul, 0, factor), shift);
  p->list.back().activation = Activation::kRelu;
}

// This is how it is written by hand: (x - mean) * factor * scale + shift.
void ByHand(Plans* p, const Dims& axes, const Dims& constants) {
  const int mean = p->Mean(0, axes), difference = p->Two(OpType::kSub, 0, mean);
  const int variance = p->Mean(p->Unary(UnaryFunction::kSquare, difference), axes);
  const int spread = p->Two(OpType::kAdd, variance, p->Epsilon());
  const int normal = p->Two(OpType::kMul, difference, p->Unary(UnaryFunction::kRsqrt, spread));
  p->Two(OpType::kAdd, p->Two(OpType::kMul, normal, p->Constant(constants)), p->Constant(constants));
}

// This is how PyTorch's exporters write it, without a shift: (x - mean) / sqrt(variance + epsilon).
void Divided(Plans* p, const Dims& axes, const Dims& constants) {
  const int mean = p->Mean(0, axes), difference = p->Two(OpType::kSub, 0, mean);
  const int variance = p->Mean(p->Two(OpType::kMul, difference, difference), axes);
  const int root = p->Unary(UnaryFunction::kSqrt, p->Two(OpType::kAdd, variance, p->Epsilon()));
  p->Two(OpType::kMul, p->Two(OpType::kDiv, difference, root), p->Constant(constants));
}

using Form = void (*)(Plans*, const Dims&, const Dims&);
constexpr Form kForms[] = {Folded, ByHand, Divided};

std::vector<float> Run(const BuiltGraph& built, const std::vector<float>& x) {
  const auto backend = CreateCpuBackend(CpuOptions());
  return RunGraph(**backend, built.graph, {x})[0];
}

int CountNormalizes(const Graph& graph) {
  return static_cast<int>(
      std::count_if(graph.ops.begin(), graph.ops.end(), [](const Op& op) { return op.type == OpType::kNormalize; }));
}

// Lowers the plans as they are, and with every tensor as an output, so that nothing can be folded.
void Check(const Plans& p, const Dims& dims, int normalizes, size_t most_ops) {
  const auto dims_of = [&](int) { return dims; };
  std::vector<int> all;
  for (const NodePlan& plan : p.list) all.insert(all.begin(), plan.output);
  Result<BuiltGraph> folded = BuildGraph(p.list, {all.front()}, dims_of), plain = BuildGraph(p.list, all, dims_of);
  ASSERT_TRUE(folded.ok() && plain.ok()) << folded.message() << plain.message();
  ASSERT_EQ(FuseGraph(&folded->graph).message(), "");
  EXPECT_EQ(CountNormalizes(plain->graph), 0);
  EXPECT_EQ(CountNormalizes(folded->graph), normalizes);
  EXPECT_LE(folded->graph.ops.size(), most_ops);
  EXPECT_EQ(folded->output_dims[0], plain->output_dims[0]);
  std::mt19937 rng(2);
  const std::vector<float> x = RandomFloats(rng, folded->graph.tensor(folded->graph.inputs[0]).shape.size());
  const std::vector<float> actual = Run(*folded, x), expected = Run(*plain, x);
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) ASSERT_NEAR(actual[i], expected[i], 1e-4f) << i;
}

TEST(FindNormalizations, OverChannelsMapsAndGroupsAreOneOp) {
  for (const Form form : kForms) {
    const auto check = [&](const Dims& axes, const Dims& constants, const Dims& dims, size_t most_ops) {
      SCOPED_TRACE(DimsText(dims) + " over " + DimsText(axes));
      Plans p;
      form(&p, axes, constants);
      Check(p, dims, 1, most_ops);
    };
    check({-1}, {6}, {2, 5, 7, 6}, 1);
    check({3}, {1, 1, 1, 6}, {1, 1, 1, 6}, 1);
    check({2}, {6}, {2, 7, 6}, 1);
    check({1}, {1}, {3, 6}, 1);
    check({4}, {6}, {2, 3, 2, 3, 6}, 1);
    check({1, 2}, {6}, {2, 5, 7, 6}, 1);
    check({1}, {6}, {2, 5, 6}, 1);
    check({1, 2, 3}, {6}, {2, 5, 7, 6}, 1);
    check({1, 2, 4}, {3, 2}, {2, 5, 7, 3, 2}, 3);  // and a reshape before and behind it
    check({1, 2, 4}, {1, 1, 1, 3, 1}, {2, 5, 7, 3, 2}, 3);
    check({1, 3}, {2}, {2, 5, 3, 2}, 3);
  }
}

TEST(FindNormalizations, AScaleOfTheMapIsAnOpOfItsOwn) {
  for (const Form form : kForms) {
    Plans p;
    form(&p, {1, 2, 3}, {1, 5, 7, 6});
    Check(p, {2, 5, 7, 6}, 1, 3);
  }
}

TEST(FindNormalizations, OtherAxesAndSizesRunOneByOne) {
  for (const Form form : kForms) {
    for (const Dims& axes : {Dims{0}, Dims{1}, Dims{2, 3}, Dims{0, 1, 2}}) {
      Plans p;
      form(&p, axes, {6});
      Check(p, {2, 5, 7, 6}, 0, 99);
    }
    Plans p;
    form(&p, {3}, {6});
    Check(p, {0, 5, 7, 6}, 0, 99);
  }
}

TEST(FindNormalizations, WhatOthersReadStays) {
  Plans p;
  Folded(&p, {3}, {6});
  const std::vector<int> outputs{p.list.back().output};
  EXPECT_EQ(FindNormalizations(p.list, outputs).size(), 1u);
  for (size_t i = 0; i + 1 < p.list.size(); ++i) {
    EXPECT_EQ(FindNormalizations(p.list, {outputs[0], p.list[i].output}).size(), 0u) << i;
  }
}

TEST(FindNormalizations, AnActivationInsideIsNotOne) {
  Plans p;
  Folded(&p, {3}, {6});
  for (NodePlan& plan : p.list) {
    if (plan.type != OpType::kMul) continue;
    plan.activation = Activation::kRelu;
    EXPECT_EQ(FindNormalizations(p.list, {p.list.back().output}).size(), 0u);
    plan.activation = Activation::kNone;
  }
}

}  // namespace
}  // namespace mcpruner
