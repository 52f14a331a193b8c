#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "delegate/cpu/testing/compare.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

std::shared_ptr<const std::vector<float>> Random(std::mt19937& rng, int64_t size) {
  return std::make_shared<const std::vector<float>>(RandomFloats(rng, size));
}

struct Image {
  int n, h, w, channels;
};

// Returns none, one that is applied in registers, or one that takes a pass.
std::optional<UnaryFunction> EpilogueOf(int i) {
  constexpr std::optional<UnaryFunction> kFunctions[] = {std::nullopt, UnaryFunction::kLeakyRelu,
                                                         UnaryFunction::kHardSwish, UnaryFunction::kSilu};
  return kFunctions[i % 4];
}

// Makes a convolution with random weights behind the graph's only input, or the same behind an op that widens the
// borders of that input beyond what the convolution wants. Its result goes through a function, which becomes the
// convolution's epilogue.
Graph MakeGraph(std::mt19937& rng, DepthwiseParams params, const Image& image, Activation activation,
                bool wider_borders, std::optional<UnaryFunction> function = std::nullopt) {
  const int64_t filters = int64_t{image.channels} * params.multiplier;
  params.weights = Random(rng, filters * params.kernel_height * params.kernel_width);
  params.bias = Random(rng, filters);
  GraphBuilder b;
  const int x = b.Input({image.n, image.h, image.w, image.channels});
  std::vector<int> outputs;
  if (wider_borders) {
    DepthwiseParams wide;
    wide.kernel_height = wide.kernel_width = 7;
    wide.window.padding = {3, 3, 3, 3};
    wide.weights = Random(rng, int64_t{image.channels} * 49);
    wide.bias = Random(rng, image.channels);
    outputs.push_back(b.Op(OpType::kDepthwiseConv, {x}, wide));
  }
  const int y = b.Op(OpType::kDepthwiseConv, {x}, params, activation);
  outputs.push_back(function ? b.Op(OpType::kUnary, {y}, UnaryParams{*function, 0.3f}) : y);
  return b.Finish(outputs);
}

TEST(DepthwiseConvTest, RandomLayersAgreeWithTheReference) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 rng(seed);
    const auto below = [&](int n) { return RandomBelow(rng, n); };
    DepthwiseParams params;
    params.kernel_height = 1 + below(5);
    params.kernel_width = 1 + below(5);
    params.multiplier = 1 + below(2);
    params.window = {1 + below(3), 1 + below(2), 1 + below(2), 1 + below(2), {below(3), below(3), below(3), below(3)}};
    const Image image{1 + below(2), 9 + below(9), 9 + below(80), 1 + below(6)};
    const auto activation = static_cast<Activation>(below(4));
    ExpectAgreement(MakeGraph(rng, params, image, activation, below(4) == 0, EpilogueOf(below(4))), seed, 2e-5f,
                    "depthwise");
  }
}

// Square kernels have code of their own. They run at every width of a tail, and at heights that leave every number of
// rows.
TEST(DepthwiseConvTest, SquareKernelsAgreeWithTheReferenceAtEveryWidth) {
  for (const int kernel : {3, 5}) {
    for (const int stride : {1, 2}) {
      for (int width = kernel; width <= 40; ++width) {
        SCOPED_TRACE(std::to_string(kernel) + " x " + std::to_string(kernel) + ", stride " + std::to_string(stride) +
                     ", width " + std::to_string(width));
        std::mt19937 rng(static_cast<uint32_t>(width));
        const auto below = [&](int n) { return RandomBelow(rng, n); };
        DepthwiseParams params;
        params.kernel_height = params.kernel_width = kernel;
        params.multiplier = 1 + width % 2;
        params.window = {stride, stride, 1, 1, {below(3), below(3), below(3), below(3)}};
        const Image image{1 + width % 2, kernel + width % 13, width, 1 + width % 3};
        const auto activation = static_cast<Activation>(width % 4);
        ExpectAgreement(MakeGraph(rng, params, image, activation, width % 5 == 0, EpilogueOf(width / 3)), 1, 2e-5f,
                        "depthwise");
      }
    }
  }
}

TEST(DepthwiseConvTest, OtherStridesRunThroughTheReference) {
  std::mt19937 rng(3);
  DepthwiseParams params;
  params.kernel_height = params.kernel_width = 3;
  params.window.stride_w = 3;
  params.weights = Random(rng, 9);
  params.bias = Random(rng, 1);
  GraphBuilder b;
  const int y = b.Op(OpType::kDepthwiseConv, {b.Input({1, 9, 20, 1})}, params);
  ExpectAgreement(b.Finish({y}), 4, 1e-6f, "reference");
}

// The number of rows times that of blocks of rows does not fit 32 bits.
TEST(DepthwiseConvTest, TallImages) {
  std::mt19937 rng(1);
  DepthwiseParams params;
  params.kernel_height = params.kernel_width = 3;
  params.window.padding = {1, 1, 1, 1};
  ExpectAgreement(MakeGraph(rng, params, {1, 200000, 2, 1}, Activation::kNone, false), 1, 1e-5f, "depthwise");
}

}  // namespace
}  // namespace mcpruner
