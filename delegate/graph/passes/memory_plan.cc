#include "delegate/graph/passes/memory_plan.h"

#include <algorithm>
#include <numeric>

namespace mcpruner {
namespace {

int64_t RoundUp(int64_t bytes) { return (bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment; }

bool Meet(const BufferRequest& a, const BufferRequest& b) { return a.first_op <= b.last_op && b.first_op <= a.last_op; }

}  // namespace

MemoryPlan PlanMemory(Span<const BufferRequest> requests) {
  std::vector<size_t> order(requests.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return requests[a].bytes > requests[b].bytes; });
  MemoryPlan plan;
  plan.offsets.resize(requests.size());
  std::vector<size_t> placed;  // offsets ascend
  for (const size_t i : order) {
    const BufferRequest& request = requests[i];
    if (request.bytes == 0 || request.last_op < request.first_op) continue;
    int64_t offset = 0;
    for (const size_t other : placed) {
      if (!Meet(request, requests[other])) continue;
      if (offset + request.bytes <= plan.offsets[other]) break;  // fits below it
      offset = std::max(offset, plan.offsets[other] + RoundUp(requests[other].bytes));
    }
    plan.offsets[i] = offset;
    plan.bytes = std::max(plan.bytes, offset + RoundUp(request.bytes));
    const auto above = [&](int64_t value, size_t other) { return value < plan.offsets[other]; };
    placed.insert(std::upper_bound(placed.begin(), placed.end(), offset, above), i);
  }
  return plan;
}

}  // namespace mcpruner
