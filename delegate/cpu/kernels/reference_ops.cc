#include "delegate/cpu/kernels/reference_ops.h"

#include <string>

#include "delegate/cpu/kernels/binary/reference.h"
#include "delegate/cpu/kernels/blocks/reference.h"
#include "delegate/cpu/kernels/concat/reference.h"
#include "delegate/cpu/kernels/conv/reference.h"
#include "delegate/cpu/kernels/depthwise_conv/reference.h"
#include "delegate/cpu/kernels/fully_connected/reference.h"
#include "delegate/cpu/kernels/mirror_pad/reference.h"
#include "delegate/cpu/kernels/normalize/reference.h"
#include "delegate/cpu/kernels/pad/reference.h"
#include "delegate/cpu/kernels/pool/reference.h"
#include "delegate/cpu/kernels/reduce/reference.h"
#include "delegate/cpu/kernels/reshape/reference.h"
#include "delegate/cpu/kernels/resize/reference.h"
#include "delegate/cpu/kernels/shuffle/reference.h"
#include "delegate/cpu/kernels/softmax/reference.h"
#include "delegate/cpu/kernels/strided_slice/reference.h"
#include "delegate/cpu/kernels/transpose/reference.h"
#include "delegate/cpu/kernels/unary/reference.h"

namespace mcpruner {
namespace {

void Conv(const ConvParams& p, const Shape& in, Span<const float* const> inputs, const Shape& out, float* y) {
  ConvReference(*p.layer, p.window, in, inputs[0], inputs.size() > 1 ? inputs[1] : nullptr, out, y);
}

void Pool(const Op& op, const Shape& in, const float* x, const Shape& out, float* y) {
  const auto& p = std::get<PoolParams>(op.params);
  op.type == OpType::kMaxPool ? MaxPoolReference(p, in, x, out, y) : AveragePoolReference(p, in, x, out, y);
}

void Blocks(const Op& op, const Shape& in, const float* x, const Shape& out, float* y) {
  const auto* to_space = std::get_if<DepthToSpaceParams>(&op.params);
  if (to_space != nullptr) return DepthToSpaceReference(*to_space, in, x, out, y);
  SpaceToDepthReference(std::get<SpaceToDepthParams>(op.params), in, x, out, y);
}

void Dispatch(const Graph& graph, const Op& op, Span<const float* const> inputs, float* y) {
  const Shape &in = graph.tensor(op.inputs[0]).shape, &out = graph.tensor(op.output).shape;
  const float* x = inputs[0];
  switch (op.type) {
    case OpType::kConv:
      return Conv(std::get<ConvParams>(op.params), in, inputs, out, y);
    case OpType::kDepthwiseConv:
      return DepthwiseConvReference(std::get<DepthwiseParams>(op.params), in, x, out, y);
    case OpType::kFullyConnected:
      return FullyConnectedReference(*std::get<FullyConnectedParams>(op.params).layer, out.n, x, y);
#define MCPRUNER_BINARY(name, ...) case OpType::k##name:
#include "delegate/graph/binary_functions.inc"
#undef MCPRUNER_BINARY
      return BinaryReference(BinaryFunctionOf(op.type), in, x, graph.tensor(op.inputs[1]).shape, inputs[1], out, y);
    case OpType::kMaxPool:
    case OpType::kAveragePool:
      return Pool(op, in, x, out, y);
    case OpType::kResizeBilinear:
    case OpType::kResizeNearest:
      return ResizeReference(op.type, std::get<ResizeParams>(op.params), in, x, out, y);
    case OpType::kDepthToSpace:
    case OpType::kSpaceToDepth:
      return Blocks(op, in, x, out, y);
#define MCPRUNER_REDUCE(name) case OpType::k##name:
#include "delegate/graph/reduce_functions.inc"
#undef MCPRUNER_REDUCE
      return ReduceReference(ReduceFunctionOf(op.type), std::get<ReduceParams>(op.params), in, x, y);
    case OpType::kNormalize:
      return NormalizeReference(std::get<NormalizeParams>(op.params), in, x, inputs[1], inputs[2], y);
    case OpType::kPad:
      return PadReference(std::get<PadParams>(op.params), in, x, out, y);
    case OpType::kMirrorPad:
      return MirrorPadReference(std::get<MirrorPadParams>(op.params), in, x, out, y);
    case OpType::kConcat:
      return ConcatReference(graph, op, inputs, y);
    case OpType::kUnary:
      return UnaryReference(std::get<UnaryParams>(op.params), out.size(), x, y);
    case OpType::kSoftmax:
      return SoftmaxReference(std::get<SoftmaxParams>(op.params), out, x, y);
    case OpType::kReshape:
      return ReshapeReference(out.size(), x, y);
    case OpType::kTranspose:
      return TransposeReference(std::get<TransposeParams>(op.params), in, x, y);
    case OpType::kShuffle:
      return ShuffleReference(std::get<ShuffleParams>(op.params), in, x, y);
    case OpType::kStridedSlice:
      return StridedSliceReference(std::get<StridedSliceParams>(op.params), in, x, y);
  }
}

}  // namespace

Status RunReferenceOp(const Graph& graph, const Op& op, Span<const float* const> inputs, float* output) {
  if (inputs.size() != op.inputs.size()) {
    return Status::Error("op '" + op.name + "': expected " + std::to_string(op.inputs.size()) +
                         " input pointers, got " + std::to_string(inputs.size()));
  }
  const int64_t size = graph.tensor(op.output).shape.size();
  if (size == 0) return Status::Ok();
  Dispatch(graph, op, inputs, output);
  ActivationReference(op.activation, size, output);
  if (op.epilogue.has_value()) EpilogueReference(*op.epilogue, graph.tensor(op.output).shape.c, size, output);
  return Status::Ok();
}

}  // namespace mcpruner
