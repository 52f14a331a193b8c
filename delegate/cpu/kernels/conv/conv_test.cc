// These tests run convolutions through the whole backend and compare them with the reference, for every SIMD target of
// this CPU.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "delegate/cpu/cpu_backend.h"
#include "delegate/cpu/engine/executable.h"
#include "delegate/cpu/engine/simd_targets.h"
#include "delegate/cpu/kernels/conv/reference.h"
#include "delegate/cpu/kernels/unary/reference.h"
#include "delegate/cpu/testing/compare.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

struct Case {
  DenseShape shape;
  int group_size = 4;
  double density = 0.5;
  Window window;
  int n = 1, h = 1, w = 1;
  bool residual = false;
  Activation activation = Activation::kNone;
  std::optional<UnaryFunction> function = std::nullopt;  // behind the activation
};

// These become epilogues: the first two in registers, the last one by a pass.
constexpr UnaryFunction kFunctions[] = {UnaryFunction::kLeakyRelu, UnaryFunction::kHardSwish, UnaryFunction::kSilu};

// Returns the largest sum of |w * x| (and |bias|, |residual|) of any output, which is the scale of rounding errors.
double Scale(SparseLayer layer, const Case& c, const Shape& in, std::vector<float> x, const Shape& out,
             std::vector<float> residual) {
  const auto magnitude = [](auto* v) { std::transform(v->begin(), v->end(), v->begin(), fabsf); };
  magnitude(&layer.values);
  magnitude(&layer.bias);
  magnitude(&x);
  magnitude(&residual);
  std::vector<float> y(static_cast<size_t>(out.size()));
  ConvReference(layer, c.window, in, x.data(), residual.empty() ? nullptr : residual.data(), out, y.data());
  return *std::max_element(y.begin(), y.end());
}

void Check(std::mt19937& rng, const Case& c) {
  const auto layer = RandomLayer(rng, LayerKind::kConv2D, c.shape, c.group_size, 4, c.density);
  GraphBuilder b;
  const Shape in{c.n, c.h, c.w, c.shape.in_channels};
  const int x = b.Input(in);
  const int conv = b.Op(OpType::kConv, {x}, ConvParams{c.window, layer}, c.activation);
  const Shape out = b.shape(conv);
  const UnaryParams function{c.function.value_or(UnaryFunction::kRelu), 0.3f};
  const int y = c.function ? b.Op(OpType::kUnary, {conv}, function) : conv;
  std::vector<std::vector<float>> inputs{RandomFloats(rng, in.size())};
  Graph graph = b.Finish({y});
  if (c.residual) {
    graph.ops[0].inputs.push_back(b.Input(out));
    const Graph with_residual = b.Finish({y});
    graph.tensors = with_residual.tensors;
    graph.inputs = with_residual.inputs;
    inputs.push_back(RandomFloats(rng, out.size()));
  }
  if (out.size() == 0) return;
  std::vector<float> expected(static_cast<size_t>(out.size()));
  ConvReference(*layer, c.window, in, inputs[0].data(), c.residual ? inputs[1].data() : nullptr, out, expected.data());
  ActivationReference(c.activation, out.size(), expected.data());
  if (c.function) UnaryReference(function, out.size(), expected.data(), expected.data());
  const double scale = Scale(*layer, c, in, inputs[0], out, c.residual ? inputs[1] : std::vector<float>());
  for (const std::string& simd : CpuSimdTargets()) {
    for (const int num_threads : {1, 2}) {
      auto backend = CreateCpuBackend({num_threads, simd});
      ASSERT_TRUE(backend.ok()) << backend.message();
      const std::vector<float> actual = RunGraph(**backend, graph, inputs)[0];
      for (size_t i = 0; i < actual.size(); ++i) {
        ASSERT_NEAR(actual[i], expected[i], 1e-5 * scale) << simd << ", element " << i;
      }
    }
  }
}

TEST(ConvTest, RandomLayersAgreeWithTheReference) {
  for (uint32_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 rng(seed);
    const auto below = [&](int n) { return RandomBelow(rng, n); };
    Case c;
    c.shape = {1 + below(40), 1 + below(7), 1 + below(7), 1 + below(30)};
    c.group_size = 1 << below(5);
    c.density = below(6) * 0.2;
    c.window = {1 + below(3), 1 + below(3), 1 + below(2), 1 + below(2), {below(4), below(4), below(4), below(4)}};
    c.n = 1 + below(3);
    c.h = 1 + below(33);
    c.w = 1 + below(33);
    c.residual = below(2) == 0;
    c.activation = static_cast<Activation>(below(4));
    if (below(2) == 0) c.function = kFunctions[below(3)];
    Check(rng, c);
  }
}

// Every width up to several vectors and every height up to two tiles bring all tile sizes and all tails.
TEST(ConvTest, EveryTileSizeAndTail) {
  for (const int group_size : {1, 2, 4}) {
    for (int size = 1; size <= 70; ++size) {
      SCOPED_TRACE("group_size " + std::to_string(group_size) + ", size " + std::to_string(size));
      std::mt19937 rng(static_cast<uint32_t>(size));
      Case c;
      c.shape = {5, 3, 3, 3};
      c.group_size = group_size;
      c.window.padding = {1, 1, 1, 1};
      c.h = 1 + size % 13;
      c.w = size;
      Check(rng, c);
      c.function = kFunctions[size % 3];
      Check(rng, c);
      c.window.stride_h = c.window.stride_w = 2;
      c.w = 2 * size;
      Check(rng, c);
    }
  }
}

TEST(ConvTest, PixelsRunAsFullyConnected) {
  std::mt19937 rng(1);
  Case c;
  c.shape = {37, 1, 1, 65};
  c.n = 3;
  for (const int group_size : {1, 2, 4, 8, 16}) {
    c.group_size = group_size;
    Check(rng, c);
  }
  c.window.padding = {0, 0, 1, 1};  // three columns, of which one is more than bias: no longer a vector
  Check(rng, c);
}

TEST(ConvTest, FarPaddingAndLongStridesStillRun) {
  std::mt19937 rng(1);
  Case c;
  c.shape = {3, 3, 3, 2};
  c.h = c.w = 9;
  c.window = {50, 50, 1, 1, {100, 100, 100, 100}};
  Check(rng, c);
  c.window = {1, 1, 1, 1, {0, 0, 100, 0}};  // more than a border holds: the reference runs it
  Check(rng, c);
  c.window = {1, 4000, 1, 4000, {0, 0, 8000, 8000}};
  Check(rng, c);
}

TEST(ConvTest, LargeLayersAreCutIntoBlocks) {
  std::mt19937 rng(1);
  Case c;
  c.shape = {300, 3, 3, 260};  // more weights than one block
  c.h = c.w = 5;
  c.window.padding = {1, 1, 1, 1};
  c.density = 1.0;
  Check(rng, c);
}

// There are so many vectors that their number times that of tiles does not fit 32 bits, in every instruction set.
TEST(ConvTest, LargeImages) {
  std::mt19937 rng(1);
  GraphBuilder b;
  const ConvParams params{{1, 1, 1, 1, {1, 1, 1, 1}}, RandomLayer(rng, LayerKind::kConv2D, {1, 3, 3, 1}, 1, 2, 1.0)};
  ExpectAgreement(b.Finish({b.Op(OpType::kConv, {b.Input({1, 1080, 1923, 1})}, params)}), 1, 1e-5f, "conv");
}

std::atomic<int> asked{0};
const MicroKernels& CountedMicroKernels() {
  ++asked;
  return BestMicroKernels();
}

TEST(ConvTest, AsksForTheCoreOnceInEachShare) {
  std::mt19937 rng(3);
  GraphBuilder b;
  const auto layer = RandomLayer(rng, LayerKind::kConv2D, {64, 3, 3, 16}, 4, 4, 0.5);
  const Graph graph = b.Finish({b.Op(OpType::kConv, {b.Input({1, 40, 40, 16})}, ConvParams{{}, layer})});
  MicroKernels micro_kernels = BestMicroKernels();
  micro_kernels.OfThisCore = &CountedMicroKernels;
  CpuExecutable executable(graph, micro_kernels, std::make_shared<ThreadPool>(3), 0);
  std::vector<float> x(40 * 40 * 16, 1.0f), y(38 * 38 * 64);
  const std::vector<const float*> inputs{x.data()};
  const std::vector<float*> outputs{y.data()};
  for (int run = 1; run <= 2; ++run) {
    ASSERT_TRUE(executable.Run(inputs, outputs).ok());
    EXPECT_EQ(asked, 3 * run);
  }
}

}  // namespace
}  // namespace mcpruner
