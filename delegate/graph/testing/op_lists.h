// These list all ops and all functions, for tests that must not forget one.

#ifndef MCPRUNER_DELEGATE_GRAPH_TESTING_OP_LISTS_H_
#define MCPRUNER_DELEGATE_GRAPH_TESTING_OP_LISTS_H_

#include <iterator>

#include "delegate/graph/graph.h"

namespace mcpruner {

inline constexpr OpType kAllOpTypes[] = {
#define MCPRUNER_OP(name, ...) OpType::k##name,
#include "delegate/graph/ops.inc"
#undef MCPRUNER_OP
};

// These are the ops of family Binary, Add first.
inline constexpr OpType kAllBinaryOps[] = {
#define MCPRUNER_BINARY(name, ...) OpType::k##name,
#include "delegate/graph/binary_functions.inc"
#undef MCPRUNER_BINARY
};
inline constexpr int kBinaryOpCount = static_cast<int>(std::size(kAllBinaryOps));

inline constexpr UnaryFunction kAllUnaryFunctions[] = {
#define MCPRUNER_UNARY(name) UnaryFunction::k##name,
#include "delegate/graph/unary_functions.inc"
#undef MCPRUNER_UNARY
};
inline constexpr int kUnaryFunctionCount = static_cast<int>(std::size(kAllUnaryFunctions));

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_TESTING_OP_LISTS_H_
