// This target makes a whole small graph of the bytes, on which the cpu backend must agree with the reference, whatever
// its instruction set, threads, cache size (which decides what is streamed) and fused ops, also after a run on NaN.
//
// They agree within the rounding of float32 sums. Where results cancel, rounding shows more than a fixed bound allows:
// then the bound is what the reference itself makes of a little noise on every tensor.

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "delegate/cpu/engine/executable.h"
#include "delegate/cpu/engine/simd_targets.h"
#include "delegate/cpu/reference_backend.h"
#include "delegate/cpu/threads/thread_pool.h"
#include "delegate/fuzz/fuzz.h"
#include "delegate/fuzz/graph_from_bytes.h"
#include "delegate/graph/backend.h"
#include "delegate/graph/passes/fusion.h"
#include "delegate/graph/testing/random_layer.h"

namespace mcpruner {
namespace {

constexpr float kBound = 2e-5f;  // of the largest magnitude in the graph
constexpr float kNoise = 1e-6f;  // of a tensor's largest magnitude
constexpr int kNoisyRuns = 4;
constexpr float kTimesNoise = 16;

using Values = std::vector<float>;

float Largest(const Values& values) {
  float largest = 0;
  for (const float v : values) {
    if (!std::isfinite(v)) return std::numeric_limits<float>::infinity();
    largest = std::max(largest, std::fabs(v));
  }
  return largest;
}

float Difference(const Values& a, const Values& b) {
  float difference = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i])) return std::numeric_limits<float>::infinity();
    difference = std::max(difference, std::fabs(a[i] - b[i]));
  }
  return difference;
}

std::vector<Values> Run(Executable* executable, const Graph& graph, const std::vector<Values>& inputs) {
  std::vector<const float*> in;
  for (const Values& x : inputs) in.push_back(x.data());
  std::vector<Values> results;
  for (const int i : graph.outputs) results.emplace_back(static_cast<size_t>(graph.tensor(i).shape.size()));
  std::vector<float*> out;
  for (Values& y : results) out.push_back(y.data());
  const Status status = executable->Run(in, out);
  Check(status.ok(), "a graph runs: " + status.message());
  return results;
}

std::vector<Values> RunReference(const Graph& graph, const std::vector<Values>& inputs) {
  static const auto backend = CreateReferenceBackend();
  const auto executable = backend->Compile(graph);
  Check(executable.ok(), "the reference compiles a graph: " + executable.message());
  return Run(executable->get(), graph, inputs);
}

// Returns the values of every tensor: those of the input, and what ops make of them. Noise is added to each result.
std::vector<Values> Tensors(const Graph& graph, const Values& x, float noise, uint32_t seed) {
  std::mt19937 rng(seed);
  std::vector<Values> values(graph.tensors.size());
  values[static_cast<size_t>(graph.inputs[0])] = x;
  for (const Op& op : graph.ops) {
    Graph one;
    one.tensors = graph.tensors;
    one.ops = {op};
    one.outputs = {op.output};
    std::vector<Values> inputs;
    for (const int i : op.inputs) {
      if (graph.tensor(i).data != nullptr || std::count(one.inputs.begin(), one.inputs.end(), i) > 0) continue;
      one.inputs.push_back(i);
      inputs.push_back(values[static_cast<size_t>(i)]);
    }
    Values& y = values[static_cast<size_t>(op.output)];
    y = RunReference(one, inputs)[0];
    if (noise == 0) continue;
    const Values random = RandomFloats(rng, static_cast<int64_t>(y.size()));
    const float largest = Largest(y);
    for (size_t i = 0; i < y.size(); ++i) y[i] += noise * largest * random[i];
  }
  return values;
}

std::vector<Values> RunCpu(Graph graph, Decisions* decisions, const Values& x) {
  static const std::shared_ptr<ThreadPool> pools[] = {std::make_shared<ThreadPool>(1), std::make_shared<ThreadPool>(2),
                                                      std::make_shared<ThreadPool>(3)};
  const auto targets = RunnableMicroKernels();
  const MicroKernels& micro_kernels = *targets[static_cast<size_t>(decisions->Below(static_cast<int>(targets.size())))];
  const auto& pool = pools[decisions->Seldom(3, 0)];
  const int64_t l2_bytes = int64_t{256} << decisions->Below(12);
  if (decisions->Below(2) == 0) Check(FuseGraph(&graph).ok(), "a valid graph is fused");
  CpuExecutable executable(graph, micro_kernels, pool, l2_bytes);
  Run(&executable, graph, {Values(x.size(), std::nanf(""))});
  return Run(&executable, graph, {x});
}

void Compare(Decisions decisions) {
  const Graph graph = GraphFromBytes(&decisions);
  const Status valid = ValidateGraph(graph);
  Check(valid.ok(), "graphs from bytes are valid: " + valid.message());
  std::mt19937 rng(static_cast<uint32_t>(decisions.Below(256)));
  const Values x = RandomFloats(rng, graph.tensor(graph.inputs[0]).shape.size());
  const std::vector<Values> expected = Tensors(graph, x, 0, 0);
  float largest = 0;
  for (const Values& values : expected) largest = std::max(largest, Largest(values));
  const std::vector<Values> results = RunCpu(graph, &decisions, x);
  if (!std::isfinite(largest)) return;  // how far NaN spreads is not defined
  for (size_t i = 0; i < results.size(); ++i) {
    const auto tensor = static_cast<size_t>(graph.outputs[i]);
    const float difference = Difference(results[i], expected[tensor]);
    if (difference <= kBound * largest) continue;
    float bound = 0;
    for (uint32_t seed = 1; seed <= kNoisyRuns; ++seed) {
      bound = std::max(bound, Difference(Tensors(graph, x, kNoise, seed)[tensor], expected[tensor]));
    }
    Check(difference <= kTimesNoise * bound, "output " + std::to_string(i) + " differs by " +
                                                 std::to_string(difference) + " of " + std::to_string(largest) +
                                                 ", noise by " + std::to_string(bound));
  }
}

}  // namespace
}  // namespace mcpruner

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mcpruner::Compare(mcpruner::Decisions(data, size));
  return 0;
}
