// Ops on single elements (elementwise.cl), pools (pool.cl), means and softmax (reduce.cl).

#include "delegate/opencl/ops/steps.h"

namespace mcpruner::opencl {
namespace {

constexpr int kElementLanes = 64;
constexpr int kReduceLanes = 64;

// The map of a tensor whose dimensions of size 1 are repeated.
Map Broadcast(const PlaneTensor& tensor) {
  const Shape& shape = tensor.layout.shape;
  Map map = tensor.map();
  if (shape.n == 1) map.image = 0;
  if (shape.c == 1) map.channel = 0;
  if (shape.h == 1) map.row = 0;
  if (shape.w == 1) map.column = 0;
  return map;
}

// An expression of elementwise.cl; no blanks, since it is part of the compiler's options.
const char* BinaryExpression(OpType type) {
  return type == OpType::kMul ? "a*b" : type == OpType::kSub ? "a-b" : "a+b";
}

const char* UnaryExpression(UnaryFunction function) {
  switch (function) {
    case UnaryFunction::kHardSwish:
      return "a*clamp(a+3.0f,0.0f,6.0f)/6.0f";
    case UnaryFunction::kLogistic:
      return "1.0f/(1.0f+exp(-a))";
    default:
      return "a";  // a clamp
  }
}

Clamp UnaryClamp(UnaryFunction function) {
  switch (function) {
    case UnaryFunction::kRelu:
      return ClampOf(Activation::kRelu);
    case UnaryFunction::kReluN1To1:
      return ClampOf(Activation::kReluN1To1);
    case UnaryFunction::kRelu6:
      return ClampOf(Activation::kRelu6);
    default:
      return ClampOf(Activation::kNone);
  }
}

Result<Step> MakeElementwise(const StepContext& context, const char* expression, const Map& x, const Map& z,
                             const Clamp& clamp) {
  const Shape& out = context.output().layout.shape;
  return OneLaunch(MakeLaunch(context.tools, "elementwise.cl", "elementwise", {{"FUNCTION", expression}},
                              LinearRange(out.size(), kElementLanes), context.arena, context.arena, context.arena, x, z,
                              context.output().map(), ExtentOf(out), clamp));
}

}  // namespace

Result<Step> MakeBinary(const StepContext& context) {
  return MakeElementwise(context, BinaryExpression(context.op.type), Broadcast(context.input(0)),
                         Broadcast(context.input(1)), ClampOf(context.op.activation));
}

Result<Step> MakeUnary(const StepContext& context) {
  const UnaryFunction function = std::get<UnaryParams>(context.op.params).function;
  const Map x = context.input().map();
  return MakeElementwise(context, UnaryExpression(function), x, x, UnaryClamp(function));
}

Result<Step> MakePool(const StepContext& context) {
  const auto& params = std::get<PoolParams>(context.op.params);
  const Shape& in = context.input().layout.shape;
  const Shape& out = context.output().layout.shape;
  PoolArgs args{};
  args.in = context.input().map();
  args.out = context.output().map();
  args.extent = ExtentOf(out);
  args.in_rows = in.h;
  args.in_columns = in.w;
  args.height = params.filter_height;
  args.width = params.filter_width;
  args.stride_h = params.window.stride_h;
  args.stride_w = params.window.stride_w;
  args.top = params.window.padding.top;
  args.left = params.window.padding.left;
  args.clamp = ClampOf(context.op.activation);
  const Defines defines{{"IS_MAX", context.op.type == OpType::kMaxPool ? "1" : "0"}};
  return OneLaunch(MakeLaunch(context.tools, "pool.cl", "pool", defines, LinearRange(out.size(), kElementLanes),
                              context.arena, context.arena, args));
}

Result<Step> MakeMean(const StepContext& context) {
  const Shape& in = context.input().layout.shape;
  return OneLaunch(MakeLaunch(context.tools, "reduce.cl", "mean", {{"LANES", std::to_string(kReduceLanes)}},
                              LinearRange(int64_t{in.c} * kReduceLanes, kReduceLanes, in.n), context.arena,
                              context.arena, context.input().map(), context.output().map(), ExtentOf(in)));
}

Result<Step> MakeSoftmax(const StepContext& context) {
  const Shape& shape = context.output().layout.shape;
  return OneLaunch(MakeLaunch(context.tools, "reduce.cl", "softmax", {{"LANES", std::to_string(kReduceLanes)}},
                              LinearRange(int64_t{shape.h} * shape.w * kReduceLanes, kReduceLanes, shape.n),
                              context.arena, context.arena, context.input().map(), context.output().map(),
                              ExtentOf(shape), std::get<SoftmaxParams>(context.op.params).beta));
}

}  // namespace mcpruner::opencl
