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

// These are the ops of family Reduce, and all that they may reduce.
inline constexpr OpType kAllReduceOps[] = {
#define MCPRUNER_REDUCE(name) OpType::k##name,
#include "delegate/graph/reduce_functions.inc"
#undef MCPRUNER_REDUCE
};
inline constexpr int kReduceOpCount = static_cast<int>(std::size(kAllReduceOps));
inline constexpr ReduceParams kAllReductions[] = {
    {true, false, false}, {false, true, false}, {true, true, false}, {false, false, true}, {false, true, true}};
inline constexpr int kReductionCount = static_cast<int>(std::size(kAllReductions));

inline constexpr UnaryFunction kAllUnaryFunctions[] = {
#define MCPRUNER_UNARY(name) UnaryFunction::k##name,
#include "delegate/graph/unary_functions.inc"
#undef MCPRUNER_UNARY
};
inline constexpr int kUnaryFunctionCount = static_cast<int>(std::size(kAllUnaryFunctions));

// Calls `add(function, tensor)`, which adds a function of one element and returns its result, for `function` on `x`
// and before it for what keeps numbers small and the function defined: random graphs would overflow.
template <class Add>
int AddTamed(UnaryFunction function, int x, const Add& add) {
  switch (function) {
    case UnaryFunction::kLog:
    case UnaryFunction::kSqrt:
    case UnaryFunction::kRsqrt:
      x = add(UnaryFunction::kExp, add(UnaryFunction::kReluN1To1, x));
      break;
    case UnaryFunction::kExp:
    case UnaryFunction::kSquare:
      x = add(UnaryFunction::kReluN1To1, x);
      break;
    default:
      break;
  }
  return add(function, x);
}

// Returns what stands for operand `side` (0 or 1) of a function of two tensors, made of `x` by `add` in the same way:
// a divisor far from 0, and numbers whose products and squares do not grow.
template <class Add>
int TameOperand(OpType type, int side, int x, const Add& add) {
  switch (type) {
    case OpType::kDiv:
      return side == 0 ? x : add(UnaryFunction::kExp, add(UnaryFunction::kReluN1To1, x));
    case OpType::kMul:
      return side == 0 ? x : add(UnaryFunction::kReluN1To1, x);
    case OpType::kSquaredDifference:
      return add(UnaryFunction::kReluN1To1, x);
    default:
      return x;
  }
}

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_TESTING_OP_LISTS_H_
