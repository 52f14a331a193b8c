// PlanMemory places buffers in one arena, so that buffers which are needed at the same time do not overlap.
//
//     bytes ^   +-------+
//           |   |   2   |          Greedy by size: the largest buffer comes first, and each is placed at the lowest
//           |   +---+---+---+      offset where it meets no buffer, among those already placed, with which it shares
//           |   | 1 |   |   |      an op (Pisarchyk and Lee, arXiv:2001.03288).
//           |   +---+ 0 | 3 |
//           +---+-------+---+--> op
//
// It knows nothing of tensors: the reference backend plans NHWC tensors with it, the cpu backend plans its own layouts
// and scratch buffers.

#ifndef MCPRUNER_DELEGATE_GRAPH_PASSES_MEMORY_PLAN_H_
#define MCPRUNER_DELEGATE_GRAPH_PASSES_MEMORY_PLAN_H_

#include <cstdint>
#include <vector>

#include "delegate/base/span.h"

namespace mcpruner {

// Buffers are aligned to a cache line, which is as long as the widest vector.
constexpr int64_t kArenaAlignment = 64;

// A buffer of `bytes` (0..2^40) is needed from op `first_op` to op `last_op`, both included. It is never needed if
// last_op < first_op.
struct BufferRequest {
  int64_t bytes = 0;
  int first_op = 0;
  int last_op = -1;
};

struct MemoryPlan {
  std::vector<int64_t> offsets;  // one per request, in bytes, a multiple of kArenaAlignment
  int64_t bytes = 0;             // of the arena, a multiple of kArenaAlignment
};

MemoryPlan PlanMemory(Span<const BufferRequest> requests);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_PASSES_MEMORY_PLAN_H_
