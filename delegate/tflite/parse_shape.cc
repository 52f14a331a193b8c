// Operators that move elements: PAD, CONCATENATION, RESHAPE, STRIDED_SLICE.

#include <algorithm>
#include <string>

#include "delegate/tflite/parse_common.h"
#include "delegate/tflite/rank_map.h"

namespace mcpruner {
namespace {

// The value of PADV2's third input, 0 for PAD.
Result<float> PadValue(const ParseContext& c) {
  if (c.node.registration->builtin_code != kTfLiteBuiltinPadv2) return 0.0f;
  const Result<FloatConstant> value = ReadFloats(c.view, InputIndex(c.node, 2), "its padding value");
  if (!value.ok()) return value.status();
  if (value->values.size() != 1) return Status::Error("its padding value is not one number");
  return value->values[0];
}

}  // namespace

Result<NodePlan> ParsePad(const ParseContext& c) {
  Result<NodePlan> plan = StartPlan(c, OpType::kPad);
  if (!plan.ok()) return plan;
  const int rank = plan->inputs[0].rank;
  const Result<std::vector<int>> paddings = ReadInts(c.view, InputIndex(c.node, 1), "its list of paddings");
  if (!paddings.ok()) return paddings.status();
  if (rank < 1 || paddings->size() != 2 * static_cast<size_t>(rank)) {
    return Status::Error("expected 2 paddings for each of " + std::to_string(rank) + " dimensions, got " +
                         std::to_string(paddings->size()));
  }
  const Result<float> value = PadValue(c);
  if (!value.ok()) return value.status();
  PadParams pad;
  pad.value = *value;
  for (int i = 0; i < rank; ++i) {
    const size_t axis = static_cast<size_t>(MapAxis(rank, i)), k = 2 * static_cast<size_t>(i);
    pad.before[axis] = (*paddings)[k];
    pad.after[axis] = (*paddings)[k + 1];
  }
  plan->params = pad;
  return plan;
}

Result<NodePlan> ParseConcatenation(const ParseContext& c) {
  const auto* params = BuiltinParams<TfLiteConcatenationParams>(c.node);
  if (params == nullptr) return MissingParams();
  if (params->activation != kTfLiteActNone) return Status::Error("it has a fused activation");
  NodePlan plan;
  const TfLiteTensor* output = TensorAt(c.view.context, OutputIndex(c.node, 0));
  if (output == nullptr || output->type != kTfLiteFloat32) return Status::Error("its output is not float32");
  bool computed = false;
  for (size_t i = 0; InputIndex(c.node, i) != kTfLiteOptionalTensor; ++i) {
    Result<Operand> operand = ReadOperand(c, i);
    if (!operand.ok()) return operand.status();
    if (i > 0 && operand->rank != plan.inputs[0].rank) return Status::Error("its inputs differ in rank");
    computed = computed || operand->constant == nullptr;
    plan.inputs.push_back(std::move(*operand));
  }
  if (!computed) return Status::Error("it has no computed input");
  const int rank = plan.inputs[0].rank;
  const int axis = params->axis + (params->axis < 0 ? rank : 0);
  if (axis < 0 || axis >= rank) return Status::Error("its axis " + std::to_string(params->axis) + " is out of range");
  plan.type = OpType::kConcat;
  plan.name = TensorName(output);
  plan.output = OutputIndex(c.node, 0);
  plan.params = ConcatParams{MapAxis(rank, axis)};
  return plan;
}

Result<NodePlan> ParseReshape(const ParseContext& c) {
  Result<NodePlan> plan = StartPlan(c, OpType::kReshape);
  if (!plan.ok()) return plan;
  NewShape shape;
  if (InputIndex(c.node, 1) != kTfLiteOptionalTensor) {
    Result<std::vector<int>> dims = ReadInts(c.view, InputIndex(c.node, 1), "its new shape");
    if (!dims.ok()) return dims.status();
    shape.dims = std::move(*dims);
  } else {
    const auto* params = BuiltinParams<TfLiteReshapeParams>(c.node);
    if (params == nullptr || params->num_dimensions < 0 || params->num_dimensions > 8) return MissingParams();
    shape.dims.assign(params->shape, params->shape + params->num_dimensions);
  }
  if (shape.dims.size() > kMaxRank) return Status::Error("its new shape has more than 4 dimensions");
  const auto free_dims = std::count_if(shape.dims.begin(), shape.dims.end(), [](int d) { return d < 0; });
  if (free_dims > 1 || std::any_of(shape.dims.begin(), shape.dims.end(), [](int d) { return d < -1; })) {
    return Status::Error("its new shape " + DimsText(shape.dims) + " has more than one unknown dimension");
  }
  plan->deferred = std::move(shape);
  return plan;
}

Result<NodePlan> ParseStridedSlice(const ParseContext& c) {
  const auto* params = BuiltinParams<TfLiteStridedSliceParams>(c.node);
  if (params == nullptr) return MissingParams();
  if (params->ellipsis_mask != 0 || params->new_axis_mask != 0 || params->shrink_axis_mask != 0) {
    return Status::Error("it has an ellipsis, a new axis or a removed axis");
  }
  // Version 8 may count the end from the begin.
  if (c.node.registration->version >= 8) return Status::Error("it is of version 8 or later; the delegate runs up to 7");
  Result<NodePlan> plan = StartPlan(c, OpType::kStridedSlice);
  if (!plan.ok()) return plan;
  SliceBounds bounds;
  Dims* const lists[] = {&bounds.begin, &bounds.end, &bounds.stride};
  const char* const roles[] = {"its list of begins", "its list of ends", "its list of strides"};
  for (size_t i = 0; i < 3; ++i) {
    Result<std::vector<int>> list = ReadInts(c.view, InputIndex(c.node, i + 1), roles[i]);
    if (!list.ok()) return list.status();
    if (list->size() != static_cast<size_t>(plan->inputs[0].rank)) {
      return Status::Error(std::string(roles[i]) + " has " + std::to_string(list->size()) + " entries for " +
                           std::to_string(plan->inputs[0].rank) + " dimensions");
    }
    *lists[i] = std::move(*list);
  }
  if (std::any_of(bounds.stride.begin(), bounds.stride.end(), [](int s) { return s < 1; })) {
    return Status::Error("it has a stride below 1");
  }
  bounds.begin_mask = params->begin_mask;
  bounds.end_mask = params->end_mask;
  plan->params = StridedSliceParams{};
  plan->deferred = std::move(bounds);
  return plan;
}

}  // namespace mcpruner
