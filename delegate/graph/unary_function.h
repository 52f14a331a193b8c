// A UnaryFunction says what an op of type kUnary computes of one element.
//
// SIMD sources include this header, so it holds nothing but the enum (cpu/kernels/micro_kernels.h says why).

#ifndef MCPRUNER_DELEGATE_GRAPH_UNARY_FUNCTION_H_
#define MCPRUNER_DELEGATE_GRAPH_UNARY_FUNCTION_H_

#include <stdint.h>

namespace mcpruner {

enum class UnaryFunction : uint8_t {
#define MCPRUNER_UNARY(name) k##name,
#include "delegate/graph/unary_functions.inc"
#undef MCPRUNER_UNARY
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_UNARY_FUNCTION_H_
