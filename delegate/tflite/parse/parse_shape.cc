// These parsers read operators that move elements: PAD, MIRROR_PAD, CONCATENATION, RESHAPE, STRIDED_SLICE, TRANSPOSE.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "delegate/tflite/parse/parse_common.h"

namespace mcpruner {
namespace {

// Reads the third input, which both PAD and PADV2 may have.
Result<float> PadValue(const ParseContext& c) {
  if (InputIndex(c.node, 2) == kTfLiteOptionalTensor) return 0.0f;
  const Result<FloatConstant> value = ReadFloats(c.view, InputIndex(c.node, 2), "its padding value");
  if (!value.ok()) return value.status();
  if (value->values.size() != 1) return Status::Error("its padding value is not one number");
  return value->values[0];
}

// Reads the list of paddings, the second input of every kind of PAD.
Result<Paddings> ReadPaddings(const ParseContext& c) {
  const Result<std::vector<int>> list = ReadInts(c.view, InputIndex(c.node, 1), "its list of paddings");
  if (!list.ok()) return list.status();
  Paddings paddings;
  for (size_t i = 0; i < list->size(); ++i) (i % 2 == 0 ? paddings.before : paddings.after).push_back((*list)[i]);
  if (paddings.before.size() != paddings.after.size()) {
    return Status::Error("its list of paddings is no list of pairs");
  }
  return paddings;
}

}  // namespace

Result<NodePlan> ParsePad(const ParseContext& c) {
  Result<NodePlan> plan = StartPlan(c, OpType::kPad);
  if (!plan.ok()) return plan;
  Result<Paddings> paddings = ReadPaddings(c);
  if (!paddings.ok()) return paddings.status();
  const Result<float> value = PadValue(c);
  if (!value.ok()) return value.status();
  paddings->value = *value;
  plan->deferred = std::move(*paddings);
  return plan;
}

Result<NodePlan> ParseMirrorPad(const ParseContext& c) {
  const auto* params = BuiltinParams<TfLiteMirrorPadParams>(c.node);
  if (params == nullptr) return MissingParams();
  if (params->mode != kTfLiteMirrorPaddingReflect && params->mode != kTfLiteMirrorPaddingSymmetric) {
    return Status::Error("its mode " + std::to_string(params->mode) + " is neither REFLECT (1) nor SYMMETRIC (2)");
  }
  Result<NodePlan> plan = StartPlan(c, OpType::kMirrorPad);
  if (!plan.ok()) return plan;
  Result<Paddings> paddings = ReadPaddings(c);
  if (!paddings.ok()) return paddings.status();
  paddings->with_edge = params->mode == kTfLiteMirrorPaddingSymmetric;
  plan->deferred = std::move(*paddings);
  return plan;
}

Result<NodePlan> PlanOfMany(const ParseContext& c, OpType type) {
  NodePlan plan;
  const TfLiteTensor* output = TensorAt(c.view.context, OutputIndex(c.node, 0));
  if (output == nullptr || output->type != kTfLiteFloat32) return Status::Error("its output is not float32");
  bool computed = false;
  for (size_t i = 0; InputIndex(c.node, i) != kTfLiteOptionalTensor; ++i) {
    Result<Operand> operand = ReadOperand(c, i);
    if (!operand.ok()) return operand.status();
    computed = computed || operand->constant == nullptr;
    plan.inputs.push_back(std::move(*operand));
  }
  if (!computed) return Status::Error("it has no computed input");
  plan.type = type;
  plan.name = TensorName(output);
  plan.output = OutputIndex(c.node, 0);
  return plan;
}

Result<NodePlan> ParseConcatenation(const ParseContext& c) {
  const auto* params = BuiltinParams<TfLiteConcatenationParams>(c.node);
  if (params == nullptr) return MissingParams();
  if (params->activation != kTfLiteActNone) return Status::Error("it has a fused activation");
  Result<NodePlan> plan = PlanOfMany(c, OpType::kConcat);
  if (plan.ok()) plan->deferred = ConcatAxis{params->axis};
  return plan;
}

Result<NodePlan> ParseReshape(const ParseContext& c) {
  Result<NodePlan> plan = StartPlan(c, OpType::kReshape);
  if (!plan.ok()) return plan;
  NewShape shape;
  const TfLiteTensor* const given = TensorAt(c.view.context, InputIndex(c.node, 1));
  if (given != nullptr && TensorDims(*given).size() == 1) {
    Result<std::vector<int>> dims = ReadInts(c.view, InputIndex(c.node, 1), "its new shape");
    if (!dims.ok()) return dims.status();
    shape.dims = std::move(*dims);
  } else {
    const auto* params = BuiltinParams<TfLiteReshapeParams>(c.node);
    if (params == nullptr || params->num_dimensions < 0 || params->num_dimensions > 8) return MissingParams();
    shape.dims.assign(params->shape, params->shape + params->num_dimensions);
    if (shape.dims == Dims{0}) shape.dims.clear();  // how old files write a scalar
  }
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
  const int ellipsis = params->ellipsis_mask, added = params->new_axis_mask, removed = params->shrink_axis_mask;
  if ((ellipsis & (ellipsis - 1)) != 0 || (ellipsis & (added | removed)) != 0 || (added & removed) != 0) {
    return Status::Error("it has two ellipses, or an axis that is new and removed");
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
    *lists[i] = std::move(*list);
  }
  if (bounds.end.size() != bounds.begin.size() || bounds.stride.size() != bounds.begin.size()) {
    return Status::Error("its lists of begins, ends and strides differ in length");
  }
  if (std::any_of(bounds.stride.begin(), bounds.stride.end(), [](int s) { return s == 0; })) {
    return Status::Error("it has a stride of 0");
  }
  bounds.begin_mask = params->begin_mask;
  bounds.end_mask = params->end_mask;
  bounds.ellipsis_mask = ellipsis;
  bounds.new_axis_mask = added;
  bounds.shrink_axis_mask = removed;
  plan->deferred = std::move(bounds);
  return plan;
}

Result<NodePlan> ParseTranspose(const ParseContext& c) {
  Result<NodePlan> plan = StartPlan(c, OpType::kTranspose);
  if (!plan.ok()) return plan;
  Result<std::vector<int>> axes = ReadInts(c.view, InputIndex(c.node, 1), "its order of axes");
  if (!axes.ok()) return axes.status();
  plan->deferred = AxisOrder{std::move(*axes)};
  return plan;
}

}  // namespace mcpruner
