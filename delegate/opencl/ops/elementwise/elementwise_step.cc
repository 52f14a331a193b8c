// These are the steps of ops on single elements: functions of two tensors, and functions of one.

#include <cstdio>
#include <string>

#include "delegate/graph/activation_range.h"
#include "delegate/opencl/ops/step.h"

namespace mcpruner::opencl {
namespace {

// Returns the map of a tensor whose dimensions of size 1 are repeated.
Map Broadcast(const PlaneTensor& tensor) {
  const Shape& shape = tensor.layout.shape;
  Map map = tensor.map();
  if (shape.n == 1) map.image = 0;
  if (shape.c == 1) map.channel = 0;
  if (shape.h == 1) map.row = 0;
  if (shape.w == 1) map.column = 0;
  return map;
}

// Returns an expression for elementwise.cl. It has no blanks, since it is part of the compiler's options.
const char* BinaryExpression(BinaryFunction function) {
  switch (function) {
    case BinaryFunction::kAdd:
      return "a+b";
    case BinaryFunction::kMul:
      return "a*b";
    case BinaryFunction::kSub:
      return "a-b";
    case BinaryFunction::kDiv:
      return "a/b";
    case BinaryFunction::kMaximum:
      return "a>b?a:b";
    case BinaryFunction::kMinimum:
      return "a<b?a:b";
    case BinaryFunction::kSquaredDifference:
      return "(a-b)*(a-b)";
    case BinaryFunction::kPrelu:
      return "a<0.0f?a*b:a";
  }
  return "a";
}

// Returns a number of OpenCL C that is exactly this one.
std::string Literal(float value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%af", double{value});
  return text;
}

std::string UnaryExpression(const UnaryParams& params) {
  switch (params.function) {
    case UnaryFunction::kRelu:
    case UnaryFunction::kReluN1To1:
    case UnaryFunction::kRelu6:
      break;  // the clamp that follows is all of it
    case UnaryFunction::kLeakyRelu:
      return "a<0.0f?a*(" + Literal(params.alpha) + "):a";
    case UnaryFunction::kElu:
      return "a<0.0f?expm1(a):a";
    case UnaryFunction::kHardSwish:
      return "a*clamp(a+3.0f,0.0f,6.0f)/6.0f";
    case UnaryFunction::kLogistic:
      return "1.0f/(1.0f+exp(-a))";
    case UnaryFunction::kTanh:
      return "tanh(a)";
    case UnaryFunction::kGelu:
      return "0.5f*a*erfc(-0.70710678f*a)";
    case UnaryFunction::kGeluTanh:
      return "a/(1.0f+exp(-1.59576912f*(a+0.044715f*a*a*a)))";
    case UnaryFunction::kSilu:
      return "a/(1.0f+exp(-a))";
    case UnaryFunction::kMish:
      return "mish(a)";
    case UnaryFunction::kExp:
      return "exp(a)";
    case UnaryFunction::kLog:
      return "log(a)";
    case UnaryFunction::kSqrt:
      return "sqrt(a)";
    case UnaryFunction::kRsqrt:
      return "rsqrt(a)";
    case UnaryFunction::kSquare:
      return "a*a";
    case UnaryFunction::kAbs:
      return "fabs(a)";
    case UnaryFunction::kNeg:
      return "-a";
  }
  return "a";
}

Result<Step> MakeElementwise(const StepContext& context, const std::string& expression, const Map& x, const Map& z,
                             const Clamp& clamp) {
  const Shape& out = context.output().layout.shape;
  return OneLaunch(MakeLaunch(context.tools, "elementwise.cl", "elementwise", {{"FUNCTION", expression}},
                              LinearRange(out.size(), kElementLanes), context.arena, context.arena, context.arena, x, z,
                              context.output().map(), ExtentOf(out), clamp));
}

}  // namespace

Result<Step> MakeBinaryStep(const StepContext& context) {
  return MakeElementwise(context, BinaryExpression(BinaryFunctionOf(context.op.type)), Broadcast(context.input(0)),
                         Broadcast(context.input(1)), ClampOf(context.op.activation));
}

Result<Step> MakeUnaryStep(const StepContext& context) {
  const auto& params = std::get<UnaryParams>(context.op.params);
  const Map x = context.input().map();
  return MakeElementwise(context, UnaryExpression(params), x, x, ClampOf(ActivationOf(params.function)));
}

}  // namespace mcpruner::opencl
