// These parsers read operators that cut a tensor in parts or put parts together, and those that add and remove axes.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "delegate/tflite/abi/int_array.h"
#include "delegate/tflite/parse/parse_common.h"

namespace mcpruner {
namespace {

// Reads a constant that holds one whole number.
Result<int> ReadInt(const ParseContext& c, size_t input, const std::string& role) {
  const Result<std::vector<int>> values = ReadInts(c.view, InputIndex(c.node, input), role);
  if (!values.ok()) return values.status();
  if (values->size() == 1) return values->front();
  return Status::Error(role + " is not one number");
}

// Returns a plan for each output of the node: it is the part of input `input` with the output's number.
Result<std::vector<NodePlan>> PlansOfParts(const ParseContext& c, size_t input, AxisPart part) {
  const size_t outputs = IntArrayView(c.node.node->outputs).size();
  part.count = static_cast<int>(outputs);
  std::vector<NodePlan> plans;
  for (size_t i = 0; i < outputs; ++i) {
    Result<NodePlan> plan = StartPlan(c, OpType::kStridedSlice, input, i);
    if (!plan.ok()) return plan.status();
    part.index = static_cast<int>(i);
    plan->deferred = part;
    plans.push_back(std::move(*plan));
  }
  return plans;
}

}  // namespace

Result<NodePlan> ParseSqueeze(const ParseContext& c) {
  const auto* params = BuiltinParams<TfLiteSqueezeParams>(c.node);
  if (params == nullptr || params->num_squeeze_dims < 0 || params->num_squeeze_dims > 8) return MissingParams();
  Result<NodePlan> plan = StartPlan(c, OpType::kReshape);
  if (plan.ok()) plan->deferred = SqueezedAxes{{params->squeeze_dims, params->squeeze_dims + params->num_squeeze_dims}};
  return plan;
}

Result<NodePlan> ParseExpandDims(const ParseContext& c) {
  const Result<int> axis = ReadInt(c, 1, "its axis");
  if (!axis.ok()) return axis.status();
  Result<NodePlan> plan = StartPlan(c, OpType::kReshape);
  if (plan.ok()) plan->deferred = AddedAxis{*axis};
  return plan;
}

Result<NodePlan> ParsePack(const ParseContext& c) {
  const auto* params = BuiltinParams<TfLitePackParams>(c.node);
  if (params == nullptr) return MissingParams();
  Result<NodePlan> plan = PlanOfMany(c, OpType::kConcat);
  if (plan.ok()) plan->deferred = AddedAxis{params->axis};
  return plan;
}

Result<NodePlan> ParseSlice(const ParseContext& c) {
  Result<NodePlan> plan = StartPlan(c, OpType::kStridedSlice);
  if (!plan.ok()) return plan;
  Result<std::vector<int>> begin = ReadInts(c.view, InputIndex(c.node, 1), "its list of begins");
  if (!begin.ok()) return begin.status();
  const Result<std::vector<int>> size = ReadInts(c.view, InputIndex(c.node, 2), "its list of sizes");
  if (!size.ok()) return size.status();
  if (begin->size() != size->size()) return Status::Error("its lists of begins and sizes differ in length");
  SliceBounds bounds;
  for (size_t i = 0; i < size->size(); ++i) {
    const int64_t end = int64_t{(*begin)[i]} + (*size)[i];
    if ((*begin)[i] < 0 || (*size)[i] < -1 || end > kMaxElements) {
      return Status::Error("it begins at " + DimsText(*begin) + " with sizes " + DimsText(*size));
    }
    if ((*size)[i] == -1) bounds.end_mask |= 1 << i;
    bounds.end.push_back(static_cast<int>(end));
    bounds.stride.push_back(1);
  }
  bounds.begin = std::move(*begin);
  plan->deferred = std::move(bounds);
  return plan;
}

Result<std::vector<NodePlan>> ParseSplit(const ParseContext& c) {
  const Result<int> axis = ReadInt(c, 0, "its axis");
  if (!axis.ok()) return axis.status();
  AxisPart part;
  part.axis = *axis;
  return PlansOfParts(c, 1, std::move(part));
}

Result<std::vector<NodePlan>> ParseSplitV(const ParseContext& c) {
  const Result<int> axis = ReadInt(c, 2, "its axis");
  if (!axis.ok()) return axis.status();
  Result<std::vector<int>> sizes = ReadInts(c.view, InputIndex(c.node, 1), "its list of sizes");
  if (!sizes.ok()) return sizes.status();
  if (sizes->size() != IntArrayView(c.node.node->outputs).size()) {
    return Status::Error("its list of sizes is not as long as that of its outputs");
  }
  const auto unknown = std::count(sizes->begin(), sizes->end(), -1);
  if (unknown > 1 || std::any_of(sizes->begin(), sizes->end(), [](int size) { return size < -1; })) {
    return Status::Error("its sizes " + DimsText(*sizes) + " are not those of parts");
  }
  AxisPart part;
  part.axis = *axis;
  part.sizes = std::move(*sizes);
  return PlansOfParts(c, 0, std::move(part));
}

Result<std::vector<NodePlan>> ParseUnpack(const ParseContext& c) {
  const auto* params = BuiltinParams<TfLiteUnpackParams>(c.node);
  if (params == nullptr) return MissingParams();
  AxisPart part;
  part.axis = params->axis;
  part.drops_axis = true;
  return PlansOfParts(c, 0, std::move(part));
}

}  // namespace mcpruner
