// Places buffers in one arena so that buffers that are needed at the same time do not overlap.
//
//     bytes ^   +-------+
//           |   |   2   |          Greedy by size: the largest buffer first, each at the lowest offset where it meets
//           no |   +---+---+---+      placed buffer with which it shares an op (Pisarchyk and Lee, arXiv:2001.03288).
//           |   | 1 |   |   |
//           |   +---+ 0 | 3 |
//           +---+-------+---+--> op
//
// It knows nothing of tensors: the reference backend plans NHWC tensors with it, the cpu backend its own layouts and
// scratch buffers.

#ifndef MCPRUNER_DELEGATE_GRAPH_PASSES_MEMORY_PLAN_H_
#define MCPRUNER_DELEGATE_GRAPH_PASSES_MEMORY_PLAN_H_

#include <cstdint>
#include <vector>

#include "delegate/base/span.h"

namespace mcpruner {

// A cache line, and the widest vector.
constexpr int64_t kArenaAlignment = 64;

// `bytes` (0..2^40) are needed from op `first_op` to op `last_op`, both included; never, if last_op < first_op.
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
