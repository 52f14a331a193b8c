#include "delegate/opencl/testing/agreement.h"

#include <algorithm>
#include <random>
#include <utility>

#include "delegate/base/relative_error.h"
#include "delegate/cpu/reference_backend.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"
#include "delegate/opencl/driver/device_info.h"
#include "delegate/opencl/run/executable.h"

namespace mcpruner {
namespace {

constexpr int kGuardElements = 256;

}  // namespace

std::string WhyNoOpenCl() {
  const auto api = opencl::LoadOpenCl("");
  return api.ok() ? opencl::ChooseDevice(*api).message() : api.message();
}

std::unique_ptr<Backend> MakeTestBackend(Precision precision) {
  OpenClOptions options;
  options.precision = precision;
  options.guard_elements = kGuardElements;
  auto backend = CreateOpenClBackend(options);
  EXPECT_TRUE(backend.ok()) << backend.message();
  return backend.ok() ? std::move(*backend) : nullptr;
}

double EffectOfRounding(const Graph& graph, unsigned seed, double rounding) {
  std::mt19937 rng(seed);
  std::vector<float> x = RandomFloats(rng, graph.tensor(graph.inputs[0]).shape.size());
  const auto expected = RunGraph(*CreateReferenceBackend(), graph, {x});
  double effect = 0;
  for (int run = 0; run < 4; ++run) {
    const std::vector<float> noise = RandomFloats(rng, static_cast<int64_t>(x.size()));
    std::vector<float> rounded = x;
    for (size_t i = 0; i < x.size(); ++i) rounded[i] *= static_cast<float>(1 + rounding * noise[i]);
    const auto actual = RunGraph(*CreateReferenceBackend(), graph, {rounded});
    for (size_t k = 0; k < expected.size(); ++k) effect = std::max(effect, RelativeError(actual[k], expected[k]));
  }
  return effect;
}

void ExpectAgreement(Backend& backend, const Graph& graph, unsigned seed, double tolerance) {
  std::mt19937 rng(seed);
  const std::vector<float> x = RandomFloats(rng, graph.tensor(graph.inputs[0]).shape.size());
  const auto expected = RunGraph(*CreateReferenceBackend(), graph, {x});
  const auto compiled = backend.Compile(graph);
  ASSERT_TRUE(compiled.ok()) << compiled.message();
  auto& executable = dynamic_cast<opencl::OpenClExecutable&>(**compiled);
  const auto actual = RunPoisoned(executable, graph, {x});
  for (size_t k = 0; k < expected.size(); ++k) {
    ASSERT_LT(RelativeError(actual[k], expected[k]), tolerance) << "output " << k;
  }
  ASSERT_EQ(executable.CheckMemory().message(), "");
}

}  // namespace mcpruner
