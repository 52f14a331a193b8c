#include "delegate/graph/graph.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

namespace mcpruner {

const char* OpTypeName(OpType type) {
  switch (type) {
#define MCPRUNER_OP(name, ...) \
  case OpType::k##name:        \
    return #name;
#include "delegate/graph/ops.inc"
#undef MCPRUNER_OP
  }
  return "unknown";
}

bool TakesActivation(OpType type) {
  switch (type) {
#define MCPRUNER_OP(name, Params, fewest, most, takes_activation, family) \
  case OpType::k##name:                                                   \
    return takes_activation;
#include "delegate/graph/ops.inc"
#undef MCPRUNER_OP
  }
  return false;
}

bool TakesEpilogue(OpType type) {
  switch (type) {
    case OpType::kConv:
    case OpType::kDepthwiseConv:
#define MCPRUNER_BINARY(name, ...) case OpType::k##name:
#include "delegate/graph/binary_functions.inc"
#undef MCPRUNER_BINARY
      return true;
    default:
      return false;
  }
}

BinaryFunction BinaryFunctionOf(OpType type) {
  switch (type) {
#define MCPRUNER_BINARY(name, ...) \
  case OpType::k##name:            \
    return BinaryFunction::k##name;
#include "delegate/graph/binary_functions.inc"
#undef MCPRUNER_BINARY
    default:
      std::abort();  // The caller mistook an op of another family.
  }
}

ReduceFunction ReduceFunctionOf(OpType type) {
  switch (type) {
#define MCPRUNER_REDUCE(name) \
  case OpType::k##name:       \
    return ReduceFunction::k##name;
#include "delegate/graph/reduce_functions.inc"
#undef MCPRUNER_REDUCE
    default:
      std::abort();  // The caller mistook an op of another family.
  }
}

int WindowOutput(int in, int kernel, int stride, int dilation, int pad_before, int pad_after) {
  const int64_t dilated = int64_t{kernel - 1} * dilation + 1;
  const int64_t room = int64_t{in} + pad_before + pad_after - dilated;
  if (room < 0) return 0;
  return static_cast<int>(std::min<int64_t>(room / stride + 1, std::numeric_limits<int>::max()));
}

}  // namespace mcpruner
