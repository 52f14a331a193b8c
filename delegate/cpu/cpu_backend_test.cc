#include "delegate/cpu/cpu_backend.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "delegate/base/relative_error.h"
#include "delegate/cpu/engine/simd_targets.h"
#include "delegate/cpu/reference_backend.h"
#include "delegate/graph/backend.h"
#include "delegate/graph/passes/fusion.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

std::unique_ptr<Backend> MakeCpu(const std::string& simd, int num_threads) {
  auto backend = CreateCpuBackend({num_threads, simd});
  EXPECT_TRUE(backend.ok()) << backend.message();
  return std::move(*backend);
}

Graph OneConv(const Shape& in, std::shared_ptr<const SparseLayer> layer, const Window& window,
              Activation activation = Activation::kNone) {
  GraphBuilder b;
  return b.Finish({b.Op(OpType::kConv, {b.Input(in)}, ConvParams{window, std::move(layer)}, activation)});
}

TEST(CpuBackendTest, ListsTheTargetsOfThisCpuBestFirst) {
  const std::vector<std::string> targets = CpuSimdTargets();
  ASSERT_FALSE(targets.empty());
  EXPECT_EQ(targets.back(), "scalar");
  for (const std::string& simd : targets) EXPECT_NE(MakeCpu(simd, 1), nullptr);
}

TEST(CpuBackendTest, ListsEveryMicroKernelOnce) {
  const std::vector<std::string> names = MicroKernelNames();
  EXPECT_EQ(std::count(names.begin(), names.end(), "ConvTile"), 1);
  EXPECT_EQ(std::count(names.begin(), names.end(), "FullyConnectedGroups"), 1);
}

TEST(CpuBackendTest, BadOptionsAreErrors) {
  EXPECT_EQ(CreateCpuBackend({0, ""}).message(), "expected num_threads between 1 and 64, got 0");
  EXPECT_EQ(CreateCpuBackend({65, ""}).message(), "expected num_threads between 1 and 64, got 65");
  EXPECT_EQ(CreateCpuBackend({1, "mmx"}).message().find("this CPU has no SIMD target 'mmx'; it can run: "), 0u);
}

TEST(CpuBackendTest, AWrongNumberOfPointersIsAnError) {
  GraphBuilder b;
  const auto executable = MakeCpu("", 1)->Compile(b.Finish({b.Input({1, 1, 1, 1})}));
  ASSERT_TRUE(executable.ok());
  EXPECT_EQ((*executable)->Run({}, {}).message(), "expected 1 inputs and 1 outputs, got 0 and 0");
}

// Subnormal numbers are 0 for every thread of an inference, and afterwards what they were for the caller's.
TEST(CpuBackendTest, ComputesWithoutSubnormalNumbers) {
  volatile float subnormal = 1e-40f;
  for (const std::string& simd : CpuSimdTargets()) {
    for (const int num_threads : {1, 3}) {
      GraphBuilder b;
      const Shape shape{1, 30, 5, 2};
      const int one = b.Constant({1, 1, 1, 2}, {1.0f, 1.0f});
      const Graph graph = b.Finish({b.Op(OpType::kMul, {b.Input(shape), one})});
      const auto executable = MakeCpu(simd, num_threads)->Compile(graph);
      ASSERT_TRUE(executable.ok());
      const std::vector<float> x(static_cast<size_t>(shape.size()), 1e-40f);
      std::vector<float> y(x.size(), 7.0f);
      const std::vector<const float*> inputs{x.data()};
      const std::vector<float*> outputs{y.data()};
      ASSERT_TRUE((*executable)->Run(inputs, outputs).ok());
      EXPECT_EQ(y, std::vector<float>(x.size(), 0.0f)) << simd << ", " << num_threads << " threads";
      EXPECT_GT(subnormal * 1.0f, 0.0f);
    }
  }
}

TEST(CpuBackendTest, AnyTensorMayBeAnOutput) {
  GraphBuilder b;
  const int x = b.Input({1, 1, 1, 2}), constant = b.Constant({1, 1, 1, 2}, {10, 20});
  const int sum = b.Op(OpType::kAdd, {x, constant}), twice = b.Op(OpType::kAdd, {sum, sum});
  const auto y = RunGraph(*MakeCpu("", 2), b.Finish({twice, x, constant, sum, sum}), {{1, 2}});
  EXPECT_EQ(y, (std::vector<std::vector<float>>{{22, 44}, {1, 2}, {10, 20}, {11, 22}, {11, 22}}));
}

TEST(CpuBackendTest, EmptyTensorsAndUnreadInputsNeedNoMemory) {
  GraphBuilder b;
  b.Input({1, 2, 2, 1});
  const int y = b.Op(OpType::kUnary, {b.Input({0, 3, 3, 2})}, UnaryParams{});
  EXPECT_EQ(RunGraph(*MakeCpu("", 1), b.Finish({y}), {{1, 2, 3, 4}, {}}), (std::vector<std::vector<float>>{{}}));
}

TEST(CpuBackendTest, ProfilesConversionsAndOps) {
  std::mt19937 rng(1);
  const Graph graph = OneConv({1, 6, 20, 4}, RandomLayer(rng, LayerKind::kConv2D, {4, 3, 3, 4}, 4, 2, 1.0), {});
  const auto executable = MakeCpu("scalar", 1)->Compile(graph);
  ASSERT_TRUE(executable.ok());
  const std::vector<float> x(6 * 20 * 4);
  std::vector<float> y(4 * 18 * 4);
  const std::vector<const float*> inputs{x.data()};
  const std::vector<float*> outputs{y.data()};
  EXPECT_TRUE((*executable)->Run(inputs, outputs).ok());
  (*executable)->SetProfiling(true);
  EXPECT_TRUE((*executable)->Run(inputs, outputs).ok());
  EXPECT_TRUE((*executable)->Run(inputs, outputs).ok());
  const std::vector<OpProfile> profile = (*executable)->Profile();
  ASSERT_EQ(profile.size(), 3u);
  EXPECT_EQ(profile[0].type, "Pack");
  EXPECT_EQ(profile[1].type, "Conv");
  EXPECT_EQ(profile[1].kernel, "conv g4 scalar");
  EXPECT_EQ(profile[2].type, "Unpack");
  for (const OpProfile& op : profile) EXPECT_EQ(op.runs, 2);
  EXPECT_GT((*executable)->ArenaBytes(), 0);
  EXPECT_GT((*executable)->WeightBytes(), 0);
}

TEST(CpuBackendTest, AgreesWithTheReferenceOnRandomGraphs) {
  const auto reference = CreateReferenceBackend();
  for (const std::string& simd : CpuSimdTargets()) {
    for (const int num_threads : {1, 3}) {
      const auto cpu = MakeCpu(simd, num_threads);
      for (uint32_t seed = 0; seed < 150; ++seed) {
        SCOPED_TRACE(simd + ", " + std::to_string(num_threads) + " threads, seed " + std::to_string(seed));
        Graph graph = RandomGraph(seed);
        std::mt19937 rng(seed);
        const std::vector<float> x = RandomFloats(rng, graph.tensor(graph.inputs[0]).shape.size());
        const auto expected = RunGraph(*reference, graph, {x});
        if (seed % 2 == 0) {
          ASSERT_TRUE(FuseGraph(&graph).ok());
        }
        const auto actual = RunGraph(*cpu, graph, {x});
        for (size_t i = 0; i < expected.size(); ++i) ASSERT_LT(RelativeError(actual[i], expected[i]), 2e-5);
      }
    }
  }
}

// The same executable runs again and again: what a run leaves in the arena must not reach the next one.
TEST(CpuBackendTest, EachRunStartsAnew) {
  const auto cpu = MakeCpu("", 2);
  for (uint32_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Graph graph = RandomGraph(seed);
    std::mt19937 rng(seed);
    const std::vector<float> x = RandomFloats(rng, graph.tensor(graph.inputs[0]).shape.size());
    const std::vector<float> other(x.size(), 1e30f);
    const auto executable = cpu->Compile(graph);
    ASSERT_TRUE(executable.ok());
    const auto run = [&](const std::vector<float>& in) {
      const std::vector<const float*> inputs{in.data()};
      std::vector<std::vector<float>> results;
      std::vector<float*> outputs;
      for (const int i : graph.outputs) results.emplace_back(static_cast<size_t>(graph.tensor(i).shape.size()));
      for (std::vector<float>& y : results) outputs.push_back(y.data());
      EXPECT_TRUE((*executable)->Run(inputs, outputs).ok());
      return results;
    };
    const auto first = run(x);
    run(other);
    ASSERT_EQ(run(x), first);
  }
}

TEST(CpuBackendTest, ExecutablesOfOneBackendMayRunAtOnce) {
  std::mt19937 rng(1);
  const Graph graph = OneConv({1, 9, 9, 8}, RandomLayer(rng, LayerKind::kConv2D, {8, 3, 3, 8}, 4, 3, 0.5), {});
  const auto cpu = MakeCpu("", 2);
  const std::vector<float> x = RandomFloats(rng, 9 * 9 * 8);
  const auto expected = RunGraph(*cpu, graph, {x});
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) EXPECT_EQ(RunGraph(*cpu, graph, {x}), expected);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace mcpruner
