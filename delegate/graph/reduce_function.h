// A ReduceFunction says what an op of family Reduce makes of many elements.
//
// SIMD sources include this header, so it holds nothing but the enum (cpu/kernels/micro_kernels.h says why).

#ifndef MCPRUNER_DELEGATE_GRAPH_REDUCE_FUNCTION_H_
#define MCPRUNER_DELEGATE_GRAPH_REDUCE_FUNCTION_H_

#include <stdint.h>

namespace mcpruner {

enum class ReduceFunction : uint8_t {
#define MCPRUNER_REDUCE(name) k##name,
#include "delegate/graph/reduce_functions.inc"
#undef MCPRUNER_REDUCE
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_REDUCE_FUNCTION_H_
