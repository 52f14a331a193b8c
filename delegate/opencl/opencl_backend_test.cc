#include "delegate/opencl/opencl_backend.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "delegate/graph/passes/fusion.h"
#include "delegate/graph/shapes.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"
#include "delegate/opencl/testing/agreement.h"

namespace mcpruner {
namespace {

Graph OneConv(const Shape& in, std::shared_ptr<const SparseLayer> layer, const Window& window,
              Activation activation = Activation::kNone) {
  GraphBuilder b;
  return b.Finish({b.Op(OpType::kConv, {b.Input(in)}, ConvParams{window, std::move(layer)}, activation)});
}

TEST(OpenClBackendTest, AMissingLibraryIsASentence) {
  OpenClOptions options;
  options.library = "libabsent.so";
  EXPECT_EQ(CreateOpenClBackend(options).message().find(
                "option opencl_library: expected a library with OpenCL 1.2 (libabsent.so: cannot open"),
            0u);
}

TEST(OpenClBackendTest, ProgramsFromDiskGiveTheSameResults) {
  MCPRUNER_NEEDS_OPENCL();
  std::mt19937 rng(1);
  const auto layer = RandomLayer(rng, LayerKind::kConv2D, {8, 3, 3, 6}, 4, 4, 0.5);
  const Graph graph = OneConv({1, 9, 9, 6}, layer, {1, 1, 1, 1, {1, 1, 1, 1}});
  const std::vector<std::vector<float>> x{RandomFloats(rng, 9 * 9 * 6)};
  OpenClOptions options;
  options.cache_dir = ::testing::TempDir() + "/programs";
  std::filesystem::remove_all(options.cache_dir);
  std::filesystem::create_directory(options.cache_dir);
  const auto run = [&] {
    auto backend = CreateOpenClBackend(options);
    EXPECT_TRUE(backend.ok()) << backend.message();
    return RunGraph(**backend, graph, x);
  };
  const auto from_source = run();
  const auto files = [&] {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(options.cache_dir)) paths.push_back(entry.path());
    return paths;
  };
  EXPECT_EQ(files().size(), 2u);  // conv.cl and copy.cl
  EXPECT_EQ(run(), from_source);
  for (const auto& path : files()) std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  EXPECT_EQ(run(), from_source);
}

TEST(OpenClBackendTest, AWrongNumberOfPointersIsAnError) {
  MCPRUNER_NEEDS_OPENCL();
  GraphBuilder b;
  const auto executable = MakeTestBackend()->Compile(b.Finish({b.Input({1, 1, 1, 1})}));
  ASSERT_TRUE(executable.ok());
  EXPECT_EQ((*executable)->Run({}, {}).message(), "expected 1 inputs and 1 outputs, got 0 and 0");
}

TEST(OpenClBackendTest, AnyTensorMayBeAnOutput) {
  MCPRUNER_NEEDS_OPENCL();
  GraphBuilder b;
  const int x = b.Input({1, 1, 1, 2}), constant = b.Constant({1, 1, 1, 2}, {10, 20});
  const int sum = b.Op(OpType::kAdd, {x, constant}), twice = b.Op(OpType::kAdd, {sum, sum});
  const auto y = RunGraph(*MakeTestBackend(), b.Finish({twice, x, constant, sum, sum}), {{1, 2}});
  EXPECT_EQ(y, (std::vector<std::vector<float>>{{22, 44}, {1, 2}, {10, 20}, {11, 22}, {11, 22}}));
}

TEST(OpenClBackendTest, EmptyTensorsAndUnreadInputsNeedNoMemory) {
  MCPRUNER_NEEDS_OPENCL();
  GraphBuilder b;
  b.Input({1, 2, 2, 1});
  const int y = b.Op(OpType::kUnary, {b.Input({0, 3, 3, 2})}, UnaryParams{});
  EXPECT_EQ(RunGraph(*MakeTestBackend(), b.Finish({y}), {{1, 2, 3, 4}, {}}), (std::vector<std::vector<float>>{{}}));
}

TEST(OpenClBackendTest, ElementsOfAnEmptyTensorAreRefused) {
  MCPRUNER_NEEDS_OPENCL();
  GraphBuilder b;
  const Graph graph = b.Finish({b.Op(OpType::kMean, {b.Input({1, 0, 3, 2})}, ReduceParams{})});
  EXPECT_EQ(MakeTestBackend()->Compile(graph).message(), "op 't1' makes elements of an empty tensor");
}

class OpenClMeans : public testing::TestWithParam<std::pair<Precision, double>> {};

// The terms are equal, so their rounding errors would add up in a running sum. Half storage rounds what goes into the
// sum and its result.
TEST_P(OpenClMeans, OfManyPixelsLoseNothing) {
  MCPRUNER_NEEDS_OPENCL();
  const auto [precision, tolerance] = GetParam();
  const auto backend = MakeTestBackend(precision);
  for (const Shape& shape : {Shape{1, 800, 1000, 1}, Shape{2, 100, 100, 3}, Shape{1, 1, 10007, 1}}) {
    SCOPED_TRACE(ShapeText(shape));
    GraphBuilder b;
    const int zeros = b.Op(OpType::kMul, {b.Input(shape), b.Constant({1, 1, 1, 1}, {0.0f})});
    const int terms = b.Op(OpType::kAdd, {zeros, b.Constant({1, 1, 1, 1}, {1.1f})});
    ExpectAgreement(*backend, b.Finish({b.Op(OpType::kMean, {terms}, ReduceParams{})}), 1, tolerance);
  }
}

INSTANTIATE_TEST_SUITE_P(Precisions, OpenClMeans,
                         testing::Values(std::pair(Precision::kFloat32, 1e-6),
                                         std::pair(Precision::kFloat16Storage, 1e-3)));

TEST(OpenClBackendTest, ProfilesConversionsAndOps) {
  MCPRUNER_NEEDS_OPENCL();
  std::mt19937 rng(1);
  const Graph graph = OneConv({1, 6, 20, 4}, RandomLayer(rng, LayerKind::kConv2D, {4, 3, 3, 4}, 4, 2, 1.0), {});
  const auto executable = MakeTestBackend()->Compile(graph);
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
  EXPECT_EQ(profile[1].kernel.rfind("conv g4 ", 0), 0u) << profile[1].kernel;
  EXPECT_EQ(profile[2].type, "Unpack");
  for (const OpProfile& op : profile) {
    EXPECT_EQ(op.runs, 2);
    EXPECT_GT(op.nanoseconds, 0);
  }
  EXPECT_GT((*executable)->ArenaBytes(), 0);
  EXPECT_GT((*executable)->WeightBytes(), 0);
}

TEST(OpenClBackendTest, AgreesWithTheReferenceOnRandomGraphs) {
  MCPRUNER_NEEDS_OPENCL();
  const auto backend = MakeTestBackend();
  for (uint32_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Graph graph = RandomGraph(seed);
    if (seed % 2 == 0) {
      ASSERT_TRUE(FuseGraph(&graph).ok());
    }
    ExpectAgreement(*backend, graph, seed, 2e-5);
    if (HasFatalFailure()) return;
  }
}

TEST(OpenClBackendTest, HalvesKeepTheSumOfADepthwiseFilter) {
  MCPRUNER_NEEDS_OPENCL();
  // 0.1 is off by 2.4e-5 as a half, which makes 2.2e-4 for the nine of them.
  DepthwiseParams params{{}, 3, 3, 1, nullptr, nullptr};
  params.weights = std::make_shared<const std::vector<float>>(9, 0.1f);
  params.bias = std::make_shared<const std::vector<float>>(1, -0.9f);
  GraphBuilder b;
  const Graph graph = b.Finish({b.Op(OpType::kDepthwiseConv, {b.Input({1, 3, 3, 1})}, params)});
  const auto y = RunGraph(*MakeTestBackend(Precision::kFloat16Storage), graph, {std::vector<float>(9, 1.0f)});
  EXPECT_NEAR(y[0][0], 0, 4e-5);
}

TEST(OpenClBackendTest, HalfStorageAgreesOnRandomGraphs) {
  MCPRUNER_NEEDS_OPENCL();
  const auto backend = MakeTestBackend(Precision::kFloat16Storage);
  for (uint32_t seed = 100; seed < 130; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Graph graph = RandomGraph(seed);
    constexpr double kHalfRounding = 0x1p-11;
    ExpectAgreement(*backend, graph, seed, std::max(5e-3, 8 * EffectOfRounding(graph, seed, kHalfRounding)));
    if (HasFatalFailure()) return;
  }
}

TEST(OpenClBackendTest, ExecutablesOfOneBackendMayRunAtOnce) {
  MCPRUNER_NEEDS_OPENCL();
  std::mt19937 rng(1);
  const Graph graph = OneConv({1, 9, 9, 8}, RandomLayer(rng, LayerKind::kConv2D, {8, 3, 3, 8}, 4, 3, 0.5), {});
  const auto backend = MakeTestBackend();
  const std::vector<float> x = RandomFloats(rng, 9 * 9 * 8);
  const auto expected = RunGraph(*backend, graph, {x});
  std::vector<std::unique_ptr<Executable>> executables;
  for (int t = 0; t < 3; ++t) executables.push_back(std::move(*backend->Compile(graph)));
  std::vector<std::thread> threads;
  for (const auto& executable : executables) {
    threads.emplace_back([&, run = executable.get()] {
      std::vector<float> y(expected[0].size());
      const std::vector<const float*> inputs{x.data()};
      const std::vector<float*> outputs{y.data()};
      for (int i = 0; i < 20; ++i) {
        EXPECT_TRUE(run->Run(inputs, outputs).ok());
        EXPECT_EQ(y, expected[0]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace mcpruner
