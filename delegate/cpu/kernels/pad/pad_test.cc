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

TEST(PadTest, RandomPadsAgreeWithTheReference) {
  for (uint32_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 rng(seed);
    PadParams params;
    for (size_t i = 0; i < 4; ++i) {
      params.before[i] = RandomBelow(rng, 3);
      params.after[i] = RandomBelow(rng, 3);
    }
    params.value = static_cast<float>(RandomBelow(rng, 3)) - 1.0f;
    GraphBuilder b;
    const int x =
        b.Input({1 + RandomBelow(rng, 2), 1 + RandomBelow(rng, 5), 1 + RandomBelow(rng, 40), 1 + RandomBelow(rng, 20)});
    ExpectAgreement(b.Finish({b.Op(OpType::kPad, {x}, params)}), seed, 0.0f, "pad");
  }
}

}  // namespace
}  // namespace mcpruner
