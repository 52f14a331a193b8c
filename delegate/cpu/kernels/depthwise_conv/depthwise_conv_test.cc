#include <gtest/gtest.h>

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
    const int channels = 1 + below(6);
    params.weights = Random(rng, int64_t{channels} * params.multiplier * params.kernel_height * params.kernel_width);
    params.bias = Random(rng, int64_t{channels} * params.multiplier);
    GraphBuilder b;
    const int x = b.Input({1 + below(2), 9 + below(9), 9 + below(80), channels});
    const int y = b.Op(OpType::kDepthwiseConv, {x}, params, static_cast<Activation>(below(4)));
    ExpectAgreement(b.Finish({y}), seed, 1e-5f, "depthwise");
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

}  // namespace
}  // namespace mcpruner
