// This micro-kernel applies a function of one element to a row.

#include "delegate/cpu/kernels/long_row.h"
#include "delegate/cpu/kernels/simd.h"
#include "delegate/cpu/kernels/unary/unary_args.h"
#include "delegate/cpu/kernels/unary/unary_functions.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {

namespace {

template <class Function>
HWY_INLINE void Row(const UnaryRowArgs& args, const Function& function) {
  const Floats d;
  const UnaryRowArgs a = args;  // a copy, which no store can change
  if (a.in_pitch == a.out_pitch && LongRow::Pays(a.channels, a.width, a.out_pitch, a.in == a.out)) {
    const LongRow row(a.channels, a.width, a.out_pitch, a.end);
    return row.Write(a.out,
                     [&](int32_t x, const LongRow::Place&) HWY_ATTR { return function(hn::LoadU(d, a.in + x)); });
  }
  for (int32_t c = 0; c < a.channels; ++c) {
    const float* const in = a.in + c * a.in_pitch;
    float* const out = a.out + c * a.out_pitch;
    for (int32_t x = 0; x < a.width; x += static_cast<int32_t>(kFloats)) {
      StoreFirst(function(hn::LoadU(d, in + x)), d, out + x, static_cast<size_t>(a.width - x));
    }
    StoreZeros(out + a.width, a.end.zeros_behind);
  }
}

// Applies a function in place to the runs of each channel.
template <class Function>
HWY_INLINE void Runs(const UnaryRunsArgs& args, const Function& function) {
  const Floats d;
  const UnaryRunsArgs a = args;  // a copy, which no store can change
  for (int32_t i = 0; i < a.num_channels; ++i) {
    float* const out = a.out + a.channels[i] * a.channel_stride;
    for (int32_t r = 0; r < a.num_runs; ++r) {
      float* const pixels = out + a.runs[r].first;
      for (int32_t x = 0; x < a.runs[r].count; x += static_cast<int32_t>(kFloats)) {
        StoreFirst(function(hn::LoadU(d, pixels + x)), d, pixels + x, static_cast<size_t>(a.runs[r].count - x));
      }
    }
  }
}

// Calls f with the function of one vector (and of a vector of alphas) that is asked for. `low` and `high` are the
// bounds of a clamp.
template <class F>
HWY_INLINE void WithFunction(UnaryFunction function, float low, float high, const F& f) {
  using V = FloatVector;
  const Floats d;
  switch (function) {
    case UnaryFunction::kRelu:
    case UnaryFunction::kReluN1To1:
    case UnaryFunction::kRelu6:
      return f([&](V x, V) MCPRUNER_INLINE_LAMBDA { return Clamp(d, x, low, high); });
    case UnaryFunction::kLeakyRelu:
      return f([](V x, V alpha) MCPRUNER_INLINE_LAMBDA { return LeakyRelu(Floats(), x, alpha); });
    case UnaryFunction::kElu:
      return f([](V x, V) MCPRUNER_INLINE_LAMBDA { return Elu(x); });
    case UnaryFunction::kHardSwish:
      return f([](V x, V) MCPRUNER_INLINE_LAMBDA { return HardSwish(Floats(), x); });
    case UnaryFunction::kLogistic:
      return f([](V x, V) MCPRUNER_INLINE_LAMBDA { return Logistic(x); });
    case UnaryFunction::kTanh:
      return f([](V x, V) MCPRUNER_INLINE_LAMBDA { return Tanh(x); });
    case UnaryFunction::kGelu:
      return f([](V x, V) MCPRUNER_INLINE_LAMBDA { return Gelu(x); });
    case UnaryFunction::kGeluTanh:
      return f([](V x, V) MCPRUNER_INLINE_LAMBDA { return GeluTanh(x); });
    case UnaryFunction::kSilu:
      return f([](V x, V) MCPRUNER_INLINE_LAMBDA { return Silu(x); });
    case UnaryFunction::kMish:
      return f([](V x, V) MCPRUNER_INLINE_LAMBDA { return Mish(x); });
    case UnaryFunction::kExp:
      return f([](V x, V) MCPRUNER_INLINE_LAMBDA { return Exp(x); });
    case UnaryFunction::kLog:
      return f([](V x, V) MCPRUNER_INLINE_LAMBDA { return Log(x); });
    case UnaryFunction::kSqrt:
      return f([](V x, V) MCPRUNER_INLINE_LAMBDA { return hn::Sqrt(x); });
    case UnaryFunction::kRsqrt:
      return f([&](V x, V) MCPRUNER_INLINE_LAMBDA { return hn::Div(hn::Set(d, 1.0f), hn::Sqrt(x)); });
    case UnaryFunction::kSquare:
      return f([](V x, V) MCPRUNER_INLINE_LAMBDA { return hn::Mul(x, x); });
    case UnaryFunction::kAbs:
      return f([](V x, V) MCPRUNER_INLINE_LAMBDA { return hn::Abs(x); });
    case UnaryFunction::kNeg:
      return f([](V x, V) MCPRUNER_INLINE_LAMBDA { return hn::Neg(x); });
  }
}

}  // namespace

void UnaryRow(const UnaryRowArgs& args) {
  const FloatVector alpha = hn::Set(Floats(), args.alpha);
  WithFunction(args.function, args.end.low, args.end.high, [&](const auto& function) HWY_ATTR {
    Row(args, [&](FloatVector x) HWY_ATTR { return function(x, alpha); });
  });
}

void UnaryRuns(const UnaryRunsArgs& args) {
  WithFunction(args.function, 0.0f, 0.0f, [&](const auto& function) HWY_ATTR {
    Runs(args, [&](FloatVector x) HWY_ATTR { return function(x, hn::Zero(Floats())); });
  });
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();
