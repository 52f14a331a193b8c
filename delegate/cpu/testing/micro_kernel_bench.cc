#include "delegate/cpu/testing/micro_kernel_bench.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "delegate/base/relative_error.h"
#include "delegate/cpu/cpu_backend.h"
#include "delegate/cpu/reference_backend.h"

namespace mcpruner {
namespace {

Status RunOnce(Executable& executable, const std::vector<float>& x, std::vector<float>* y) {
  const std::vector<const float*> inputs{x.data()};
  const std::vector<float*> outputs{y->data()};
  return executable.Run(inputs, outputs);
}

// Returns how far one run is off from the reference.
Result<double> ErrorOf(Executable& executable, const Graph& graph, const std::vector<float>& x) {
  auto reference = CreateReferenceBackend()->Compile(graph);
  if (!reference.ok()) return reference.status();
  std::vector<float> expected(static_cast<size_t>(graph.tensor(1).shape.size())), y(expected.size());
  MCPRUNER_RETURN_IF_ERROR(RunOnce(**reference, x, &expected));
  MCPRUNER_RETURN_IF_ERROR(RunOnce(executable, x, &y));
  return RelativeError(y, expected);
}

Result<OpTimes> CheckAndTime(Backend* backend, const Graph& graph, double tolerance, int runs) {
  auto executable = backend->Compile(graph);
  if (!executable.ok()) return executable.status();
  std::mt19937 rng(1);
  const std::vector<float> x = UniformFloats(rng, graph.tensor(0).shape.size());
  const Result<double> error = ErrorOf(**executable, graph, x);
  if (!error.ok()) return error.status();
  if (!(*error <= tolerance)) return Status::Error("off by " + std::to_string(*error) + " of the largest element");
  std::vector<float> y(static_cast<size_t>(graph.tensor(1).shape.size()));
  std::vector<double> times;
  OpTimes result;
  for (int i = 0; i < runs; ++i) {
    (*executable)->SetProfiling(true);
    MCPRUNER_RETURN_IF_ERROR(RunOnce(**executable, x, &y));
    result.op = (*executable)->Profile()[1];  // between "Pack" and "Unpack"
    times.push_back(static_cast<double>(result.op.nanoseconds) * 1e-3);
  }
  std::sort(times.begin(), times.end());
  result.min_us = times[0];
  result.median_us = times[times.size() / 2];
  return result;
}

}  // namespace

std::vector<float> UniformFloats(std::mt19937& rng, int64_t size) {
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  std::vector<float> values(static_cast<size_t>(size));
  for (float& v : values) v = uniform(rng);
  return values;
}

Graph OneOpGraph(OpType type, OpParams params, const Shape& in, const Shape& out) {
  Graph graph;
  graph.tensors.resize(2);
  graph.tensors[0].shape = in;
  graph.tensors[1].shape = out;
  graph.ops.resize(1);
  graph.ops[0].type = type;
  graph.ops[0].inputs = {0};
  graph.ops[0].output = 1;
  graph.ops[0].params = std::move(params);
  graph.inputs = {0};
  graph.outputs = {1};
  return graph;
}

std::optional<OpTimes> TimeOp(Backend* backend, const Graph& graph, double tolerance, int runs) {
  Result<OpTimes> times = CheckAndTime(backend, graph, tolerance, runs);
  if (times.ok()) return std::move(*times);
  std::printf("WRONG: %s\n", times.message().c_str());
  return std::nullopt;
}

int BenchMain(int argc, char** argv, int default_runs, const std::function<bool(Backend*, int)>& bench) {
  CpuOptions options;
  if (argc > 1) options.simd = argv[1];
  const int runs = argc > 2 ? std::max(1, std::atoi(argv[2])) : default_runs;
  auto backend = CreateCpuBackend(options);
  if (!backend.ok()) {
    std::fprintf(stderr, "%s\n", backend.message().c_str());
    return 2;
  }
  return bench(backend->get(), runs) ? 0 : 1;
}

}  // namespace mcpruner
