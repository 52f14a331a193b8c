// These parsers read operators that work element by element or window by window, without weights.

#include <string>
#include <utility>
#include <vector>

#include "delegate/tflite/parse/parse_common.h"

namespace mcpruner {
namespace {

// Plans an op on both inputs, of which one may be a constant.
Result<NodePlan> PlanOfTwo(const ParseContext& c, OpType type) {
  NodePlan plan;
  const Result<Operand> a = ReadOperand(c, 0), b = ReadOperand(c, 1);
  if (!a.ok()) return a.status();
  if (!b.ok()) return b.status();
  if (a->constant != nullptr && b->constant != nullptr) return Status::Error("both of its inputs are constants");
  const TfLiteTensor* output = TensorAt(c.view.context, OutputIndex(c.node, 0));
  if (output == nullptr || output->type != kTfLiteFloat32) return Status::Error("its output is not float32");
  plan.type = type;
  plan.name = TensorName(output);
  plan.output = OutputIndex(c.node, 0);
  plan.inputs = {*a, *b};
  return plan;
}

}  // namespace

Result<NodePlan> ParseBinary(const ParseContext& c, OpType type) {
  if (!TakesActivation(type)) return PlanOfTwo(c, type);
  const auto* params = BuiltinParams<TfLiteBinaryParams>(c.node);
  if (params == nullptr) return MissingParams();
  const Result<Activation> activation = MapActivation(params->activation);
  if (!activation.ok()) return activation.status();
  Result<NodePlan> plan = PlanOfTwo(c, type);
  if (plan.ok()) plan->activation = *activation;
  return plan;
}

Result<NodePlan> ParseUnary(const ParseContext& c, UnaryFunction function) {
  UnaryParams unary{function};
  if (function == UnaryFunction::kLeakyRelu) {
    const auto* params = BuiltinParams<TfLiteLeakyReluParams>(c.node);
    if (params == nullptr) return MissingParams();
    unary.alpha = params->alpha;
  }
  if (function == UnaryFunction::kGelu) {
    const auto* params = BuiltinParams<TfLiteGeluParams>(c.node);
    if (params == nullptr) return MissingParams();
    if (params->approximate) unary.function = UnaryFunction::kGeluTanh;
  }
  Result<NodePlan> plan = StartPlan(c, OpType::kUnary);
  if (plan.ok()) plan->params = unary;
  return plan;
}

Result<NodePlan> ParsePow(const ParseContext& c) {
  const Result<Operand> exponent = ReadOperand(c, 1);
  if (!exponent.ok()) return exponent.status();
  // A vector of one number could make the rank of the output larger than that of the input.
  if (exponent->constant == nullptr || !exponent->constant_dims.empty()) {
    return Status::Error("its exponent is not one constant number without dimensions");
  }
  const float value = exponent->constant->front();
  Result<NodePlan> plan = StartPlan(c, OpType::kUnary);
  if (!plan.ok()) return plan;
  if (value == 2.0f) {
    plan->params = UnaryParams{UnaryFunction::kSquare};
  } else if (value == 0.5f) {
    plan->params = UnaryParams{UnaryFunction::kSqrt};
  } else if (value == -0.5f) {
    plan->params = UnaryParams{UnaryFunction::kRsqrt};
  } else {
    return Status::Error("its exponent is " + std::to_string(value) + "; the delegate runs 2, 0.5 and -0.5");
  }
  return plan;
}

Result<NodePlan> ParseSoftmax(const ParseContext& c) {
  const auto* params = BuiltinParams<TfLiteSoftmaxParams>(c.node);
  if (params == nullptr) return MissingParams();
  Result<NodePlan> plan = StartPlan(c, OpType::kSoftmax);
  if (plan.ok()) plan->params = SoftmaxParams{params->beta};
  return plan;
}

// No other operator of TFLite's is planned as kNormalize.
Result<NodePlan> ParseL2Normalization(const ParseContext& c) {
  const auto* params = BuiltinParams<TfLiteL2NormParams>(c.node);
  if (params == nullptr) return MissingParams();
  if (params->activation != kTfLiteActNone) return Status::Error("it has a fused activation, which TFLite refuses");
  return StartPlan(c, OpType::kNormalize);
}

Result<NodePlan> ParsePool(const ParseContext& c, OpType type) {
  const auto* params = BuiltinParams<TfLitePoolParams>(c.node);
  if (params == nullptr) return MissingParams();
  Result<NodePlan> plan = StartPlan(c, type);
  if (!plan.ok()) return plan;
  MCPRUNER_RETURN_IF_ERROR(RankedDims(c, 4).status());
  const Result<Activation> activation = MapActivation(params->activation);
  if (!activation.ok()) return activation.status();
  plan->activation = *activation;
  PoolParams pool;
  pool.filter_height = params->filter_height;
  pool.filter_width = params->filter_width;
  pool.window.stride_h = params->stride_height;
  pool.window.stride_w = params->stride_width;
  plan->params = pool;
  MCPRUNER_RETURN_IF_ERROR(SetPadding(params->padding, &*plan));
  return plan;
}

Result<NodePlan> ParseReduce(const ParseContext& c, OpType type) {
  const auto* params = BuiltinParams<TfLiteReducerParams>(c.node);
  if (params == nullptr) return MissingParams();
  Result<NodePlan> plan = StartPlan(c, type);
  if (!plan.ok()) return plan;
  Result<std::vector<int>> axes = ReadInts(c.view, InputIndex(c.node, 1), "its list of axes");
  if (!axes.ok()) return axes.status();
  plan->deferred = ReduceAxes{std::move(*axes), params->keep_dims};
  return plan;
}

}  // namespace mcpruner
