// A BinaryFunction says what an op of family Binary computes of two elements.
//
// SIMD sources include this header, so it holds nothing but the enum (cpu/kernels/micro_kernels.h says why).

#ifndef MCPRUNER_DELEGATE_GRAPH_BINARY_FUNCTION_H_
#define MCPRUNER_DELEGATE_GRAPH_BINARY_FUNCTION_H_

#include <stdint.h>

namespace mcpruner {

enum class BinaryFunction : uint8_t {
#define MCPRUNER_BINARY(name, ...) k##name,
#include "delegate/graph/binary_functions.inc"
#undef MCPRUNER_BINARY
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_BINARY_FUNCTION_H_
