#include "delegate/tflite/parse/node_plan.h"

#include <cstring>
#include <utility>

#include "delegate/tflite/abi/int_array.h"
#include "delegate/tflite/parse/parse_common.h"

namespace mcpruner {
namespace {

const char* TypeName(TfLiteType type) {
  switch (type) {
    case kTfLiteFloat32:
      return "float32";
    case kTfLiteFloat16:
      return "float16";
    case kTfLiteInt32:
      return "int32";
    case kTfLiteInt64:
      return "int64";
    case kTfLiteUInt8:
      return "uint8";
    default:
      return "another type";
  }
}

Status CheckFloat(const TfLiteTensor* tensor, const char* role) {
  if (tensor == nullptr) return Status::Error(std::string("its ") + role + " is missing");
  if (tensor->type == kTfLiteFloat32) return Status::Ok();
  const int number = static_cast<int>(tensor->type);
  return Status::Error(std::string("its ") + role + " '" + TensorName(tensor) + "' is " + TypeName(tensor->type) +
                       " (type " + std::to_string(number) + "); the delegate runs float32");
}

// Parses operators that move elements.
Result<NodePlan> ParseMove(const ParseContext& c) {
  switch (c.node.registration->builtin_code) {
    case kTfLiteBuiltinPad:
    case kTfLiteBuiltinPadv2:
      return ParsePad(c);
    case kTfLiteBuiltinMirrorPad:
      return ParseMirrorPad(c);
    case kTfLiteBuiltinConcatenation:
      return ParseConcatenation(c);
    case kTfLiteBuiltinDepthToSpace:
      return ParseBlocks(c, OpType::kDepthToSpace);
    case kTfLiteBuiltinSpaceToDepth:
      return ParseBlocks(c, OpType::kSpaceToDepth);
    case kTfLiteBuiltinReshape:
      return ParseReshape(c);
    case kTfLiteBuiltinStridedSlice:
      return ParseStridedSlice(c);
    case kTfLiteBuiltinTranspose:
      return ParseTranspose(c);
    case kTfLiteBuiltinSqueeze:
      return ParseSqueeze(c);
    case kTfLiteBuiltinExpandDims:
      return ParseExpandDims(c);
    case kTfLiteBuiltinPack:
      return ParsePack(c);
    case kTfLiteBuiltinSlice:
      return ParseSlice(c);
    case kTfLiteBuiltinGather:
      return ParseGather(c);
    case kTfLiteBuiltinDensify:
    case kTfLiteBuiltinDequantize:
      return Status::Error(OpName(*c.node.registration) +
                           " stays with TFLite unless it expands a constant for nodes that the delegate takes");
    default:
      return Status::Error("the delegate does not run " + OpName(*c.node.registration));
  }
}

Result<NodePlan> ParseBuiltin(const ParseContext& c) {
  switch (c.node.registration->builtin_code) {
    case kTfLiteBuiltinConv2d:
      return ParseConv2D(c);
    case kTfLiteBuiltinDepthwiseConv2d:
      return ParseDepthwiseConv2D(c);
    case kTfLiteBuiltinFullyConnected:
      return ParseFullyConnected(c);
    case kTfLiteBuiltinTransposeConv:
      return ParseTransposeConv(c);
#define MCPRUNER_BINARY(name, ...) \
  case kTfLiteBuiltin##name:       \
    return ParseBinary(c, OpType::k##name);
#include "delegate/graph/binary_functions.inc"
#undef MCPRUNER_BINARY
    case kTfLiteBuiltinMaxPool2d:
      return ParsePool(c, OpType::kMaxPool);
    case kTfLiteBuiltinAveragePool2d:
      return ParsePool(c, OpType::kAveragePool);
    case kTfLiteBuiltinResizeBilinear:
      return ParseResize(c, OpType::kResizeBilinear);
    case kTfLiteBuiltinResizeNearestNeighbor:
      return ParseResize(c, OpType::kResizeNearest);
#define MCPRUNER_REDUCE(name) \
  case kTfLiteBuiltin##name:  \
    return ParseReduce(c, OpType::k##name);
#include "delegate/graph/reduce_functions.inc"
#undef MCPRUNER_REDUCE
#define MCPRUNER_UNARY(name) \
  case kTfLiteBuiltin##name: \
    return ParseUnary(c, UnaryFunction::k##name);
#define MCPRUNER_INNER_UNARY(name)
#include "delegate/graph/unary_functions.inc"
#undef MCPRUNER_UNARY
    case kTfLiteBuiltinPow:
      return ParsePow(c);
    case kTfLiteBuiltinSoftmax:
      return ParseSoftmax(c);
    case kTfLiteBuiltinL2Normalization:
      return ParseL2Normalization(c);
    default:
      return ParseMove(c);
  }
}

}  // namespace

Result<Operand> ReadOperand(const ParseContext& c, size_t i) {
  Operand operand;
  operand.tensor = InputIndex(c.node, i);
  const TfLiteTensor* tensor = TensorAt(c.view.context, operand.tensor);
  if (const Status status = CheckFloat(tensor, "input"); !status.ok()) return status;
  if (!IsFloatConstant(c.view, operand.tensor)) return operand;
  Result<FloatConstant> floats = ReadFloats(c.view, operand.tensor, "its input");
  if (!floats.ok()) return floats.status();
  operand.constant = std::make_shared<const std::vector<float>>(floats->values.begin(), floats->values.end());
  operand.constant_dims = floats->dims;
  return operand;
}

Result<NodePlan> StartPlan(const ParseContext& c, OpType type, size_t first_input, size_t first_output) {
  NodePlan plan;
  plan.type = type;
  plan.output = OutputIndex(c.node, first_output);
  const TfLiteTensor* output = TensorAt(c.view.context, plan.output);
  if (const Status status = CheckFloat(output, "output"); !status.ok()) return status;
  plan.name = TensorName(output);
  const int input = InputIndex(c.node, first_input);
  MCPRUNER_RETURN_IF_ERROR(CheckFloat(TensorAt(c.view.context, input), "input"));
  // A constant is an input too: the runtime has its elements as it has those of other inputs.
  plan.inputs.push_back(Operand{input, nullptr, {}});
  return plan;
}

Dims InputDims(const ParseContext& c) {
  const TfLiteTensor* x = TensorAt(c.view.context, InputIndex(c.node, 0));
  return x != nullptr ? TensorDims(*x) : Dims();
}

Result<Dims> RankedDims(const ParseContext& c, size_t rank) {
  const Dims dims = InputDims(c);
  if (dims.size() == rank) return dims;
  return Status::Error("expected an input of " + std::to_string(rank) + " dimensions, got " +
                       std::to_string(dims.size()));
}

Result<Activation> MapActivation(TfLiteFusedActivation activation) {
  switch (activation) {
    case kTfLiteActNone:
      return Activation::kNone;
    case kTfLiteActRelu:
      return Activation::kRelu;
    case kTfLiteActReluN1To1:
      return Activation::kReluN1To1;
    case kTfLiteActRelu6:
      return Activation::kRelu6;
  }
  return Status::Error("its fused activation (number " + std::to_string(static_cast<int>(activation)) +
                       ") is none of NONE, RELU, RELU_N1_TO_1, RELU6");
}

Status SetPadding(TfLitePadding padding, NodePlan* plan) {
  if (padding == kTfLitePaddingSame) plan->deferred = SamePadding{};
  if (padding == kTfLitePaddingSame || padding == kTfLitePaddingValid) return Status::Ok();
  return Status::Error("its padding (number " + std::to_string(static_cast<int>(padding)) +
                       ") is neither SAME nor VALID");
}

bool IsSparseOp(const TfLiteRegistration& registration) {
  const std::string name = OpName(registration);
  return registration.builtin_code == kTfLiteBuiltinCustom &&
         (name == "McprunerSparseConv2D" || name == "McprunerSparseFullyConnected" ||
          name == "McprunerSparseTransposeConv");
}

Result<std::vector<NodePlan>> ParseNode(const ModelView& view, const NodeRef& node, LayerCache* cache) {
  const ParseContext c{view, node, cache};
  switch (node.registration->builtin_code) {
    case kTfLiteBuiltinSplit:
      return ParseSplit(c);
    case kTfLiteBuiltinSplitV:
      return ParseSplitV(c);
    case kTfLiteBuiltinUnpack:
      return ParseUnpack(c);
    default:
      break;
  }
  const size_t outputs = IntArrayView(node.node->outputs).size();
  if (outputs != 1) return Status::Error("it has " + std::to_string(outputs) + " outputs instead of one");
  Result<NodePlan> plan = IsSparseOp(*node.registration) ? ParseSparse(c) : ParseBuiltin(c);
  if (!plan.ok()) return plan.status();
  std::vector<NodePlan> plans;
  plans.push_back(std::move(*plan));
  return plans;
}

}  // namespace mcpruner
