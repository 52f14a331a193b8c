#include "delegate/opencl/testing/agreement.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"
#include "delegate/opencl/device_info.h"
#include "delegate/opencl/opencl_executable.h"

namespace mcpruner {
namespace {

constexpr int kGuardElements = 256;

std::vector<std::vector<float>> RunOnce(Executable& executable, const Graph& graph, const std::vector<float>& x) {
  const std::vector<const float*> inputs{x.data()};
  std::vector<std::vector<float>> results;
  std::vector<float*> outputs;
  for (const int i : graph.outputs) results.emplace_back(static_cast<size_t>(graph.tensor(i).shape.size()));
  for (std::vector<float>& y : results) outputs.push_back(y.data());
  const Status status = executable.Run(inputs, outputs);
  EXPECT_TRUE(status.ok()) << status.message();
  return results;
}

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

double RelativeError(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0, magnitude = 1e-30;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) != std::isnan(b[i])) return INFINITY;
    difference = std::max(difference, std::fabs(double{a[i]} - b[i]));
    magnitude = std::max(magnitude, std::fabs(double{b[i]}));
  }
  return difference / magnitude;
}

void ExpectAgreement(Backend& backend, const Graph& graph, unsigned seed, double tolerance) {
  std::mt19937 rng(seed);
  const std::vector<float> x = RandomFloats(rng, graph.tensor(graph.inputs[0]).shape.size());
  const auto expected = RunGraph(*CreateReferenceBackend(), graph, {x});
  const auto compiled = backend.Compile(graph);
  ASSERT_TRUE(compiled.ok()) << compiled.message();
  auto& executable = dynamic_cast<opencl::OpenClExecutable&>(**compiled);
  const auto actual = RunOnce(executable, graph, x);
  for (size_t k = 0; k < expected.size(); ++k) {
    ASSERT_LT(RelativeError(actual[k], expected[k]), tolerance) << "output " << k;
  }
  RunOnce(executable, graph, std::vector<float>(x.size(), 1e3f));
  ASSERT_EQ(RunOnce(executable, graph, x), actual) << "something of the run before was left";
  ASSERT_EQ(executable.CheckMemory().message(), "");
}

}  // namespace mcpruner
