#include "delegate/cpu/engine/stream_step.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "delegate/cpu/engine/executable.h"
#include "delegate/cpu/engine/simd_targets.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

std::unique_ptr<CpuExecutable> Compile(const Graph& graph, const MicroKernels& micro_kernels, int num_threads,
                                       int64_t l2_bytes) {
  return std::make_unique<CpuExecutable>(graph, micro_kernels, std::make_shared<ThreadPool>(num_threads), l2_bytes);
}

int StreamedOps(const CpuExecutable& executable) {
  int count = 0;
  for (const OpProfile& op : executable.Profile()) {
    if (op.kernel.find(", streamed") != std::string::npos) ++count;
  }
  return count;
}

class ChainBuilder {
 public:
  explicit ChainBuilder(uint32_t seed) : rng_(seed) {}

  // Builds some convolutions, depthwise convolutions, pools, resizes, blocks and activations in a row on a tall image,
  // and what they all read: a tensor that some convolutions add to their sums.
  Graph Build() {
    const int x = b_.Input({1 + Below(2), 60 + Below(60), 5 + Below(20), 1 + Below(5)});
    const int first = Relu(x);
    int y = first;
    const int num_ops = 2 + Below(5);
    for (int i = 0; i < num_ops; ++i) y = AddOp(y, first);
    return b_.Finish({y});
  }

 private:
  int Below(int n) { return RandomBelow(rng_, n); }
  int Relu(int x) { return b_.Op(OpType::kUnary, {x}, UnaryParams{}); }
  Window RandomWindow(int kernel) {
    const int stride = 1 + Below(3) / 2;
    const int dilation = kernel > 1 ? 1 + Below(4) / 3 : 1;
    Window window{stride, stride, dilation, dilation, {}};
    if (kernel > 1) window.padding = {Below(3), Below(3), Below(3), Below(3)};
    return window;
  }

  int AddOp(int x, int residual) {
    const Shape shape = b_.shape(x);
    if (shape.h < 8 || shape.w < 8) return Relu(x);
    const auto activation = static_cast<Activation>(Below(4));
    switch (Below(7)) {
      case 0:
        return Relu(x);
      case 6:
        return Blocks(x);
      case 5:
        return Resize(x);
      case 1: {
        const Window window = RandomWindow(2);
        PoolParams params{window, 2 + Below(2), 2};
        params.window.dilation_h = params.window.dilation_w = 1;
        params.window.padding = {Below(2), Below(2), Below(2), Below(2)};
        const OpType type = Below(2) == 0 ? OpType::kMaxPool : OpType::kAveragePool;
        return b_.Op(type, {x}, params, activation);
      }
      case 2: {
        const int kernel = 1 + 2 * Below(3);
        DepthwiseParams params;
        params.window = RandomWindow(kernel);
        params.kernel_height = params.kernel_width = kernel;
        params.weights =
            std::make_shared<const std::vector<float>>(RandomFloats(rng_, int64_t{kernel} * kernel * shape.c));
        params.bias = std::make_shared<const std::vector<float>>(RandomFloats(rng_, shape.c));
        return Epilogue(b_.Op(OpType::kDepthwiseConv, {x}, params, activation));
      }
      default: {
        const bool adds = b_.shape(residual) == shape && Below(2) == 0;
        const int kernel = adds ? 1 : 1 + 2 * Below(2);
        const int filters = adds ? shape.c : 1 + Below(6);
        const int group_size = 1 << Below(3);
        ConvParams params;
        if (!adds) params.window = RandomWindow(kernel);
        params.layer = RandomLayer(rng_, LayerKind::kConv2D, {filters, kernel, kernel, shape.c}, group_size, 3, 0.8);
        return Epilogue(
            b_.Op(OpType::kConv, adds ? std::vector<int>{x, residual} : std::vector<int>{x}, params, activation));
      }
    }
  }

  // A function behind an op, most often.
  int Epilogue(int x) {
    switch (Below(4)) {
      case 0:
        return x;
      case 1:
        return b_.Op(OpType::kPrelu, {x, b_.Constant({1, 1, 1, b_.shape(x).c}, RandomFloats(rng_, b_.shape(x).c))});
      default:
        return b_.Op(OpType::kUnary, {x},
                     UnaryParams{Below(2) == 0 ? UnaryFunction::kSilu : UnaryFunction::kHardSwish});
    }
  }

  // Up and down; the size stays bounded.
  int Resize(int x) {
    const Shape shape = b_.shape(x);
    const bool up = shape.h < 120 && Below(2) == 0;
    ResizeParams params{up ? 2 * shape.h : 8 + Below(100), up ? 2 * shape.w : 8 + Below(30)};
    params.align_corners = Below(3) == 0;
    params.half_pixel_centers = Below(2) == 0;
    return b_.Op(Below(2) == 0 ? OpType::kResizeBilinear : OpType::kResizeNearest, {x}, params);
  }

  int Blocks(int x) {
    const Shape shape = b_.shape(x);
    if (shape.h % 2 == 0 && shape.w % 2 == 0) return b_.Op(OpType::kSpaceToDepth, {x}, SpaceToDepthParams{2});
    if (shape.c % 2 != 0 || shape.h > 120) return Relu(x);
    return b_.Op(OpType::kDepthToSpace, {x}, DepthToSpaceParams{2, 1, Below(2), 0}, static_cast<Activation>(Below(4)));
  }

  std::mt19937 rng_;
  GraphBuilder b_;
};

// The micro-kernels are the same, so all bits must be the same.
TEST(StreamStepTest, StreamedOpsMakeTheSameNumbers) {
  int streamed = 0;
  for (uint32_t seed = 0; seed < 150; ++seed) {
    const Graph graph = ChainBuilder(seed).Build();
    std::mt19937 rng(seed);
    const std::vector<float> x = RandomFloats(rng, graph.tensor(graph.inputs[0]).shape.size());
    const int64_t l2_bytes = int64_t{1024} << RandomBelow(rng, 6);
    for (const MicroKernels* micro_kernels : RunnableMicroKernels()) {
      const auto expected = RunPoisoned(*Compile(graph, *micro_kernels, 1, 0), graph, {x});
      for (const int num_threads : {1, 3}) {
        SCOPED_TRACE("seed " + std::to_string(seed) + ", " + micro_kernels->target + ", " +
                     std::to_string(num_threads) + " threads");
        const auto executable = Compile(graph, *micro_kernels, num_threads, l2_bytes);
        streamed += StreamedOps(*executable);
        ASSERT_EQ(RunPoisoned(*executable, graph, {x}), expected);
      }
    }
  }
  EXPECT_GT(streamed, 500);
}

// These are all kinds of steps that make chosen rows. Each takes and makes 8 channels.
enum class Kind {
  kConv,
  kSplitConv,
  kAddingConv,
  kWinograd,
  kWinograd2,
  kDepthwise,
  kDepthwise2,
  kMax,
  kAverage,
  kUnary
};
constexpr int kChannels = 8, kKinds = 10;

int AddConv(GraphBuilder& b, std::vector<int> inputs, const Window& window, int kernel, bool dense) {
  std::mt19937 rng(1);
  const DenseShape shape{kChannels, kernel, kernel, kChannels};
  ConvParams params{window, RandomLayer(rng, LayerKind::kConv2D, shape, 4, 3, 0.5)};
  if (dense) {
    const std::vector<float> weights = RandomFloats(rng, int64_t{kernel} * kernel * kChannels * kChannels);
    auto layer = SparseLayerFromDense(LayerKind::kConv2D, shape, weights, RandomFloats(rng, kChannels), 4);
    params.layer = std::make_shared<SparseLayer>(std::move(*layer));
  }
  return b.Op(OpType::kConv, std::move(inputs), params, Activation::kRelu);
}

int AddDepthwise(GraphBuilder& b, int x, int kernel, int stride) {
  std::mt19937 rng(1);
  DepthwiseParams params;
  params.window = {stride, stride, 1, 1, {kernel / 2, kernel / 2, kernel / 2, kernel / 2}};
  params.kernel_height = params.kernel_width = kernel;
  params.weights = std::make_shared<const std::vector<float>>(RandomFloats(rng, int64_t{kernel} * kernel * kChannels));
  params.bias = std::make_shared<const std::vector<float>>(RandomFloats(rng, kChannels));
  return b.Op(OpType::kDepthwiseConv, {x}, params, Activation::kRelu6);
}

int AddStep(Kind kind, GraphBuilder& b, int x) {
  const Window same{1, 1, 1, 1, {1, 1, 1, 1}};
  switch (kind) {
    case Kind::kConv:
      return AddConv(b, {x}, same, 3, false);
    case Kind::kSplitConv:
      return AddConv(b, {x}, {2, 2, 1, 1, {1, 1, 1, 1}}, 3, false);
    case Kind::kAddingConv:
      return AddConv(b, {x, b.Constant(b.shape(x), std::vector<float>(static_cast<size_t>(b.shape(x).size()), 0.25f))},
                     {}, 1, false);
    case Kind::kWinograd:
      return AddConv(b, {x}, same, 3, true);
    case Kind::kWinograd2:
      return AddConv(b, {x}, {2, 2, 1, 1, {2, 3, 2, 3}}, 7, true);
    case Kind::kDepthwise:
      return AddDepthwise(b, x, 3, 1);
    case Kind::kDepthwise2:
      return AddDepthwise(b, x, 5, 2);
    case Kind::kMax:
      return b.Op(OpType::kMaxPool, {x}, PoolParams{{2, 2, 1, 1, {0, 1, 0, 1}}, 3, 3});
    case Kind::kAverage:
      return b.Op(OpType::kAveragePool, {x}, PoolParams{{1, 1, 1, 1, {1, 0, 1, 0}}, 2, 2});
    case Kind::kUnary:
      break;
  }
  return b.Op(OpType::kUnary, {x}, UnaryParams{UnaryFunction::kRelu});  // which is no epilogue
}

bool TakesEpilogue(Kind kind) { return kind <= Kind::kDepthwise2; }

// Makes a chain of three, with epilogues where it is asked for them and the step takes one. The others are depthwise
// convolutions, whose windows overlap.
Graph ThreeSteps(Kind kind, int place, int height, bool epilogues) {
  GraphBuilder b;
  int x = b.Input({1, height, 17, kChannels});
  for (int i = 0; i < 3; ++i) {
    const Kind here = i == place ? kind : Kind::kDepthwise;
    x = AddStep(here, b, x);
    if (epilogues && TakesEpilogue(here)) x = b.Op(OpType::kUnary, {x}, UnaryParams{UnaryFunction::kSilu});
  }
  return b.Finish({x});
}

// Returns the size of a cache through which all three ops are streamed.
int64_t CacheThatStreams(const Graph& graph) {
  int64_t l2_bytes = 1024;
  while (StreamedOps(*Compile(graph, *RunnableMicroKernels()[0], 1, l2_bytes)) < 3 && l2_bytes < (1 << 20)) {
    l2_bytes += l2_bytes / 4;
  }
  return l2_bytes;
}

// The images are tall enough to be streamed, with every remainder of a Winograd tile and of strides.
TEST(StreamStepTest, EveryKindOfStepAtEveryPlace) {
  for (int i = 0; i < 6 * kKinds; ++i) {
    const auto kind = static_cast<Kind>(i / 6);
    const int place = i / 2 % 3;
    const bool epilogues = i % 2 == 1;
    const int tall = kind == Kind::kWinograd2 ? 193 : 97;  // of 7 rows and a stride of 2, a few take 20 of the input
    const int64_t l2_bytes = CacheThatStreams(ThreeSteps(kind, place, tall, epilogues));
    for (int height = tall; height < tall + 4; ++height) {
      const Graph graph = ThreeSteps(kind, place, height, epilogues);
      std::mt19937 rng(1);
      const std::vector<float> x = RandomFloats(rng, graph.tensor(graph.inputs[0]).shape.size());
      for (const MicroKernels* micro_kernels : RunnableMicroKernels()) {
        const auto expected = RunPoisoned(*Compile(graph, *micro_kernels, 1, 0), graph, {x});
        for (int num_threads = 1; num_threads <= 4; ++num_threads) {
          SCOPED_TRACE("kind " + std::to_string(i / 6) + " at " + std::to_string(place) + ", height " +
                       std::to_string(height) + ", " + micro_kernels->target + ", " + std::to_string(num_threads));
          const auto executable = Compile(graph, *micro_kernels, num_threads, l2_bytes);
          ASSERT_EQ(StreamedOps(*executable), 3);
          ASSERT_EQ(RunPoisoned(*executable, graph, {x}), expected);
        }
      }
    }
  }
}

Graph ThreeOps() {
  GraphBuilder b;
  int x = b.Input({1, 100, 16, 4});
  for (int i = 0; i < 3; ++i) x = b.Op(OpType::kUnary, {x}, UnaryParams{});
  return b.Finish({x});
}

TEST(StreamStepTest, StreamedTensorsNeedNoMemoryButABand) {
  const Graph graph = ThreeOps();
  const auto streamed = Compile(graph, *RunnableMicroKernels()[0], 1, 16 * 1024);
  EXPECT_EQ(StreamedOps(*streamed), 3);
  // The arena holds what is read, what is written, and at most half of the cache; each with slack.
  EXPECT_LE(streamed->ArenaBytes(), 2 * 25600 + 8 * 1024 + 4 * (kSlackFloats + 16) * int64_t{sizeof(float)});
}

TEST(StreamStepTest, ProfilesEachOp) {
  const Graph graph = ThreeOps();
  const auto executable = Compile(graph, *RunnableMicroKernels()[0], 2, 16 * 1024);
  const std::vector<float> x(6400, -1.0f);
  executable->SetProfiling(true);
  EXPECT_EQ(RunPoisoned(*executable, graph, {x})[0], std::vector<float>(6400));  // two runs
  executable->SetProfiling(false);
  const std::vector<OpProfile> profile = executable->Profile();
  ASSERT_EQ(profile.size(), 5u);
  for (size_t i = 1; i <= 3; ++i) {
    EXPECT_EQ(profile[i].kernel, std::string("unary ") + RunnableMicroKernels()[0]->target + ", streamed");
    EXPECT_EQ(profile[i].runs, 2);
    EXPECT_GT(profile[i].nanoseconds, 0);
  }
}

// A softmax has no micro-kernel that makes chosen rows.
TEST(StreamStepTest, ChainsWithAnOpThatTakesNoRowsRunOpByOp) {
  GraphBuilder b;
  const int x = b.Op(OpType::kUnary, {b.Input({1, 100, 16, 4})}, UnaryParams{});
  const Graph graph = b.Finish({b.Op(OpType::kSoftmax, {x}, SoftmaxParams{})});
  const auto executable = Compile(graph, *RunnableMicroKernels()[0], 1, 16 * 1024);
  EXPECT_EQ(StreamedOps(*executable), 0);
  EXPECT_EQ(RunPoisoned(*executable, graph, {std::vector<float>(6400)})[0], std::vector<float>(6400, 0.25f));
}

}  // namespace
}  // namespace mcpruner
