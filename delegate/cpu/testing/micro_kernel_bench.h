// The benchmarks of micro-kernels (kernels/<op>/bench.cc) share this: a graph of one op is checked and then timed.

#ifndef MCPRUNER_DELEGATE_CPU_TESTING_MICRO_KERNEL_BENCH_H_
#define MCPRUNER_DELEGATE_CPU_TESTING_MICRO_KERNEL_BENCH_H_

#include <functional>
#include <optional>
#include <random>
#include <vector>

#include "delegate/graph/backend.h"
#include "delegate/graph/graph.h"

namespace mcpruner {

// Returns `size` floats in -1 .. 1.
std::vector<float> UniformFloats(std::mt19937& rng, int64_t size);

Graph OneOpGraph(OpType type, OpParams params, const Shape& in, const Shape& out);

// OpTimes says how long the op alone takes, without the conversions at the graph's ends.
struct OpTimes {
  double min_us = 0, median_us = 0;
  OpProfile op;  // describes the last run

  double MedianGflops() const { return 2.0 * static_cast<double>(op.macs) / median_us * 1e-3; }
};

// Times a graph of one op. Prints what is wrong and returns nothing where the backend does not run it, or where its
// result is off from the reference's by more than `tolerance` of the largest element.
std::optional<OpTimes> TimeOp(Backend* backend, const Graph& graph, double tolerance, int runs);

// BenchMain is the `main` of a benchmark, `bench [SIMD target] [runs]`. `bench` gets a cpu backend of one thread and
// the number of runs; it returns false where a result was wrong, and so the process fails.
int BenchMain(int argc, char** argv, int default_runs, const std::function<bool(Backend*, int)>& bench);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_TESTING_MICRO_KERNEL_BENCH_H_
