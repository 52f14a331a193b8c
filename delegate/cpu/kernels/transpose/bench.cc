// This benchmark times transposes of tensors of a few megabytes, in the orders that networks have, on one thread, each
// after a check against the reference. It prints GB/s of what is read and written.
//
//     bench [SIMD target] [runs]

#include <array>
#include <cstdio>

#include "delegate/cpu/testing/micro_kernel_bench.h"

namespace mcpruner {
namespace {

constexpr Shape kShapes[] = {{1, 56, 56, 128}, {1, 28, 28, 512}, {1, 128, 128, 64}, {1, 197, 64, 12}};
constexpr std::array<int, 4> kOrders[] = {{0, 3, 1, 2}, {0, 2, 3, 1}, {0, 2, 1, 3}, {0, 1, 3, 2}, {0, 3, 2, 1}};

// Returns false if the result is wrong.
bool BenchTranspose(Backend* backend, const Shape& in, const std::array<int, 4>& order, int runs) {
  const std::array<int, 4> dims{in.n, in.h, in.w, in.c};
  const auto size = [&](size_t i) { return dims[static_cast<size_t>(order[i])]; };
  const Graph graph = OneOpGraph(OpType::kTranspose, TransposeParams{order}, in, {size(0), size(1), size(2), size(3)});
  std::printf("%3d x %3d x %3d, order %d %d %d %d  ", in.h, in.w, in.c, order[0], order[1], order[2], order[3]);
  const auto times = TimeOp(backend, graph, 0.0, runs);
  if (!times.has_value()) return false;
  const double bytes = 2.0 * sizeof(float) * static_cast<double>(in.size());
  std::printf("min %8.1f us (%5.1f GB/s)  median %8.1f us (%5.1f GB/s)\n", times->min_us, bytes / times->min_us * 1e-3,
              times->median_us, bytes / times->median_us * 1e-3);
  return true;
}

bool BenchTransposes(Backend* backend, int runs) {
  bool right = true;
  for (const Shape& shape : kShapes) {
    for (const auto& order : kOrders) right = BenchTranspose(backend, shape, order, runs) && right;
  }
  return right;
}

}  // namespace
}  // namespace mcpruner

int main(int argc, char** argv) { return mcpruner::BenchMain(argc, argv, 100, mcpruner::BenchTransposes); }
