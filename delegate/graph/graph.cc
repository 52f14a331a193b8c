#include "delegate/graph/graph.h"

#include <algorithm>
#include <limits>

namespace mcpruner {

const char* OpTypeName(OpType type) {
  switch (type) {
    case OpType::kConv:
      return "Conv";
    case OpType::kDepthwiseConv:
      return "DepthwiseConv";
    case OpType::kFullyConnected:
      return "FullyConnected";
    case OpType::kAdd:
      return "Add";
    case OpType::kMul:
      return "Mul";
    case OpType::kSub:
      return "Sub";
    case OpType::kMaxPool:
      return "MaxPool";
    case OpType::kAveragePool:
      return "AveragePool";
    case OpType::kMean:
      return "Mean";
    case OpType::kPad:
      return "Pad";
    case OpType::kConcat:
      return "Concat";
    case OpType::kUnary:
      return "Unary";
    case OpType::kSoftmax:
      return "Softmax";
    case OpType::kReshape:
      return "Reshape";
    case OpType::kStridedSlice:
      return "StridedSlice";
  }
  return "unknown";
}

bool TakesActivation(OpType type) {
  switch (type) {
    case OpType::kConv:
    case OpType::kDepthwiseConv:
    case OpType::kFullyConnected:
    case OpType::kAdd:
    case OpType::kMul:
    case OpType::kSub:
    case OpType::kMaxPool:
    case OpType::kAveragePool:
      return true;
    default:
      return false;
  }
}

int WindowOutput(int in, int kernel, int stride, int dilation, int pad_before, int pad_after) {
  const int64_t dilated = int64_t{kernel - 1} * dilation + 1;
  const int64_t room = int64_t{in} + pad_before + pad_after - dilated;
  if (room < 0) return 0;
  return static_cast<int>(std::min<int64_t>(room / stride + 1, std::numeric_limits<int>::max()));
}

}  // namespace mcpruner
