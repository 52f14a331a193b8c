#include "delegate/cpu/testing/compare.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "delegate/cpu/cpu_backend.h"
#include "delegate/cpu/reference_backend.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

bool Agree(float actual, float expected, float tolerance) {
  if (std::isnan(expected)) return std::isnan(actual);
  return std::isinf(expected) ? actual == expected : std::fabs(actual - expected) <= tolerance;
}

}  // namespace

void ExpectAgreement(const Graph& graph, unsigned seed, float tolerance, const std::string& micro_kernel) {
  std::mt19937 rng(seed);
  ExpectAgreement(graph, RandomFloats(rng, graph.tensor(graph.inputs[0]).shape.size()), tolerance, micro_kernel);
}

void ExpectAgreement(const Graph& graph, const std::vector<float>& x, float tolerance,
                     const std::string& micro_kernel) {
  const auto expected = RunGraph(*CreateReferenceBackend(), graph, {x});
  for (const std::string& simd : CpuSimdTargets()) {
    for (const int num_threads : {1, 3}) {
      SCOPED_TRACE(simd + ", " + std::to_string(num_threads) + " threads");
      auto backend = CreateCpuBackend({num_threads, simd});
      ASSERT_TRUE(backend.ok()) << backend.message();
      const auto executable = (*backend)->Compile(graph);
      ASSERT_TRUE(executable.ok()) << executable.message();
      // Ops may have become another's epilogue, so they are counted from the end, where outputs are written.
      const auto profile = (*executable)->Profile();
      const std::string& last = profile[profile.size() - 1 - graph.outputs.size()].kernel;
      ASSERT_EQ(last.rfind(micro_kernel, 0), 0u) << last;
      const auto actual = RunGraph(**backend, graph, {x});
      for (size_t k = 0; k < expected.size(); ++k) {
        for (size_t i = 0; i < expected[k].size(); ++i) {
          ASSERT_TRUE(Agree(actual[k][i], expected[k][i], tolerance))
              << "output " << k << ", element " << i << ": expected " << expected[k][i] << ", got " << actual[k][i];
        }
      }
    }
  }
}

void ExpectAgreementBetweenConvolutions(const std::function<int(GraphBuilder& b, int x, int maps)>& between) {
  std::mt19937 rng(1);
  const Window same{1, 1, 1, 1, {1, 1, 1, 1}};
  GraphBuilder b;
  const int x = b.Input({2, 120, 150, 3});
  const auto first = RandomLayer(rng, LayerKind::kConv2D, {24, 3, 3, 3}, 4, 2, 1.0);
  const int made = between(b, x, b.Op(OpType::kConv, {x}, ConvParams{same, first}));
  const auto second = RandomLayer(rng, LayerKind::kConv2D, {4, 3, 3, b.shape(made).c}, 4, 2, 0.5);
  ExpectAgreement(b.Finish({b.Op(OpType::kConv, {made}, ConvParams{same, second})}), 2, 1e-4f, "conv");
}

}  // namespace mcpruner
