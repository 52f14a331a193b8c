#include "delegate/cpu/reference_backend.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "delegate/cpu/kernels/reference_ops.h"
#include "delegate/graph/backend.h"
#include "delegate/graph/op_stats.h"
#include "delegate/graph/passes/fusion.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

TEST(ReferenceBackendTest, AnyTensorMayBeAnOutput) {
  GraphBuilder b;
  const int x = b.Input({1, 1, 1, 2}), constant = b.Constant({1, 1, 1, 2}, {10, 20});
  const int sum = b.Op(OpType::kAdd, {x, constant}), twice = b.Op(OpType::kAdd, {sum, sum});
  const auto backend = CreateReferenceBackend();
  const auto y = RunGraph(*backend, b.Finish({twice, x, constant, sum, sum}), {{1, 2}});
  EXPECT_EQ(y, (std::vector<std::vector<float>>{{22, 44}, {1, 2}, {10, 20}, {11, 22}, {11, 22}}));
}

TEST(ReferenceBackendTest, TheArenaIsSharedByTensorsThatDoNotMeet) {
  GraphBuilder b;
  int x = b.Input({1, 8, 8, 4});
  for (int i = 0; i < 10; ++i) x = b.Op(OpType::kUnary, {x}, UnaryParams{});
  const auto executable = CreateReferenceBackend()->Compile(b.Finish({x}));
  ASSERT_TRUE(executable.ok());
  EXPECT_EQ((*executable)->ArenaBytes(), 2 * 8 * 8 * 4 * 4);
  EXPECT_EQ((*executable)->WeightBytes(), 0);
}

TEST(ReferenceBackendTest, InputsStayInTheCallersMemory) {
  GraphBuilder b;
  const int x = b.Input({1, 8, 8, 4});
  const int y = b.Op(OpType::kAdd, {b.Op(OpType::kUnary, {x}, UnaryParams{}), x});
  const auto executable = CreateReferenceBackend()->Compile(b.Finish({y}));
  ASSERT_TRUE(executable.ok());
  EXPECT_EQ((*executable)->ArenaBytes(), 2 * 8 * 8 * 4 * 4);
}

TEST(ReferenceBackendTest, ProfilesTheRunsSinceItWasAskedTo) {
  GraphBuilder b;
  std::mt19937 rng(1);
  const auto layer = RandomLayer(rng, LayerKind::kConv2D, {4, 3, 3, 4}, 4, 2, 1.0);
  const Graph graph = b.Finish({b.Op(OpType::kConv, {b.Input({1, 6, 6, 4})}, ConvParams{Window{}, layer})});
  auto executable = CreateReferenceBackend()->Compile(graph);
  ASSERT_TRUE(executable.ok());
  EXPECT_EQ((*executable)->WeightBytes(), LayerBytes(*layer));
  const std::vector<float> x(6 * 6 * 4);
  std::vector<float> y(4 * 4 * 4);
  const std::vector<const float*> inputs{x.data()};
  const std::vector<float*> outputs{y.data()};
  const auto run = [&] { EXPECT_EQ((*executable)->Run(inputs, outputs).message(), ""); };
  run();
  EXPECT_EQ((*executable)->Profile()[0].runs, 0);
  (*executable)->SetProfiling(true);
  run();
  run();
  (*executable)->SetProfiling(false);
  run();
  const std::vector<OpProfile> profile = (*executable)->Profile();
  ASSERT_EQ(profile.size(), 1u);
  EXPECT_EQ(profile[0].runs, 2);
  EXPECT_GE(profile[0].nanoseconds, 0);
  EXPECT_EQ(profile[0].kernel, "reference");
  EXPECT_EQ(profile[0].macs, layer->StoredWeights() * 16);
  (*executable)->SetProfiling(true);
  EXPECT_EQ((*executable)->Profile()[0].runs, 0);
}

TEST(ReferenceBackendTest, EmptyTensorsNeedNoMemory) {
  GraphBuilder b;
  const int y = b.Op(OpType::kUnary, {b.Input({0, 3, 3, 2})}, UnaryParams{});
  const auto executable = CreateReferenceBackend()->Compile(b.Finish({y}));
  ASSERT_TRUE(executable.ok());
  const std::vector<const float*> inputs{nullptr};
  const std::vector<float*> outputs{nullptr};
  EXPECT_EQ((*executable)->Run(inputs, outputs).message(), "");
  EXPECT_EQ((*executable)->ArenaBytes(), 0);
}

TEST(ReferenceBackendTest, AWrongNumberOfPointersIsAnError) {
  GraphBuilder b;
  const auto executable = CreateReferenceBackend()->Compile(b.Finish({b.Input({1, 1, 1, 1})}));
  ASSERT_TRUE(executable.ok());
  EXPECT_EQ((*executable)->Run({}, {}).message(), "expected 1 inputs and 1 outputs, got 0 and 0");
}

// Runs the ops by hand with every tensor in memory of its own: sharing an arena must not change the result.
std::vector<float> RunWithoutArena(const Graph& graph, const std::vector<float>& x) {
  std::vector<std::vector<float>> tensors;
  for (const Tensor& t : graph.tensors) {
    tensors.push_back(t.data != nullptr ? *t.data : std::vector<float>(static_cast<size_t>(t.shape.size())));
  }
  tensors[static_cast<size_t>(graph.inputs[0])] = x;
  for (const Op& op : graph.ops) {
    std::vector<const float*> inputs;
    for (const int i : op.inputs) inputs.push_back(tensors[static_cast<size_t>(i)].data());
    EXPECT_EQ(RunReferenceOp(graph, op, inputs, tensors[static_cast<size_t>(op.output)].data()).message(), "");
  }
  return tensors[static_cast<size_t>(graph.outputs[0])];
}

TEST(ReferenceBackendTest, TheArenaChangesNoResultOfRandomGraphs) {
  const auto backend = CreateReferenceBackend();
  for (uint32_t seed = 1000; seed < 1100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Graph graph = RandomGraph(seed);
    std::mt19937 rng(seed);
    const std::vector<float> x = RandomFloats(rng, graph.tensor(graph.inputs[0]).shape.size());
    ASSERT_EQ(RunGraph(*backend, graph, {x})[0], RunWithoutArena(graph, x));
  }
}

// Changes one number somewhere in the graph: mostly a little, now and then to something absurd.
void Mutate(std::mt19937& rng, Graph* graph) {
  std::vector<int*> numbers;
  for (Tensor& t : graph->tensors) numbers.insert(numbers.end(), {&t.shape.n, &t.shape.h, &t.shape.w, &t.shape.c});
  const auto add_window = [&](Window& w) {
    numbers.insert(numbers.end(), {&w.stride_h, &w.stride_w, &w.dilation_h, &w.dilation_w});
    numbers.insert(numbers.end(), {&w.padding.top, &w.padding.bottom, &w.padding.left, &w.padding.right});
  };
  for (Op& op : graph->ops) {
    for (int& i : op.inputs) numbers.push_back(&i);
    numbers.push_back(&op.output);
    if (auto* conv = std::get_if<ConvParams>(&op.params)) add_window(conv->window);
    if (auto* depthwise = std::get_if<DepthwiseParams>(&op.params)) {
      add_window(depthwise->window);
      numbers.insert(numbers.end(), {&depthwise->kernel_height, &depthwise->kernel_width, &depthwise->multiplier});
    }
    if (auto* pool = std::get_if<PoolParams>(&op.params)) {
      add_window(pool->window);
      numbers.insert(numbers.end(), {&pool->filter_height, &pool->filter_width});
    }
    if (auto* pad = std::get_if<PadParams>(&op.params)) {
      for (size_t i = 0; i < 4; ++i) numbers.insert(numbers.end(), {&pad->before[i], &pad->after[i]});
    }
    if (auto* pad = std::get_if<MirrorPadParams>(&op.params)) {
      for (size_t i = 0; i < 4; ++i) numbers.insert(numbers.end(), {&pad->before[i], &pad->after[i]});
    }
    if (auto* concat = std::get_if<ConcatParams>(&op.params)) numbers.push_back(&concat->axis);
    if (auto* slice = std::get_if<StridedSliceParams>(&op.params)) {
      for (size_t i = 0; i < 4; ++i)
        numbers.insert(numbers.end(), {&slice->begin[i], &slice->size[i], &slice->stride[i]});
    }
  }
  const int absurd[] = {-1, 0, 1 << 15, 1 << 30, 2147483647, -2147483647 - 1};
  int& number = *numbers[static_cast<size_t>(RandomBelow(rng, static_cast<int>(numbers.size())))];
  number = RandomBelow(rng, 3) > 0 ? RandomBelow(rng, 8) : absurd[RandomBelow(rng, 6)];
}

// Whatever ValidateGraph accepts must run without touching memory that it should not (sanitizers look on).
TEST(ReferenceBackendTest, DamagedGraphsAreRefusedOrRun) {
  const auto backend = CreateReferenceBackend();
  int refused = 0, ran = 0;
  for (uint32_t seed = 0; seed < 3000; ++seed) {
    std::mt19937 rng(seed);
    Graph graph = RandomGraph(seed % 50);
    Mutate(rng, &graph);
    if (!ValidateGraph(graph).ok()) {
      ++refused;
      continue;
    }
    int64_t largest = 0;
    for (const Tensor& t : graph.tensors) largest = std::max(largest, t.shape.size());
    if (largest > 100000) continue;
    std::vector<std::vector<float>> inputs;
    for (const int i : graph.inputs) inputs.emplace_back(static_cast<size_t>(graph.tensor(i).shape.size()));
    RunGraph(*backend, graph, inputs);
    ASSERT_EQ(FuseGraph(&graph).message(), "");
    RunGraph(*backend, graph, inputs);
    ++ran;
  }
  EXPECT_GT(refused, 1000);
  EXPECT_GT(ran, 100);
}

}  // namespace
}  // namespace mcpruner
