// Functions of vectors of floats, each within 4 units in the last place of the exact value for every float there is
// (last_places_test.cc). Only *_simd.cc may include this.
//
//     near zero (near_functions.h)      short polynomials
//     else                              far::, made of Highway's Exp, Expm1 and Log
//
// Highway's functions convert their argument to an integer, so they are given neither NaN, which is passed by them
// (KeepNan), nor what an int32 does not hold.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_UNARY_UNARY_FUNCTIONS_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_UNARY_UNARY_FUNCTIONS_H_

#include "delegate/cpu/kernels/simd.h"
#include "delegate/cpu/kernels/store_epilogue.h"
#include "delegate/cpu/kernels/unary/near_functions.h"

// What simd.h sets for Highway must stand before each of its headers.
#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {

namespace far {

using near::Number;

// Returns NaN where x is NaN, else y.
HWY_INLINE FloatVector KeepNan(FloatVector x, FloatVector y) { return hn::IfThenElse(hn::Eq(x, x), y, x); }

// Returns x between both bounds, and some number between them for NaN.
HWY_INLINE FloatVector Between(float low, FloatVector x, float high) {
  const FloatVector number = hn::IfThenElseZero(hn::Eq(x, x), x);
  return hn::Min(hn::Max(number, Number(low)), Number(high));
}

// Below -104 the result is 0 in float, and above 89 it is infinite.
HWY_INLINE FloatVector Exp(FloatVector x) { return KeepNan(x, hn::Exp(Floats(), Between(-105.0f, x, 90.0f))); }

// With z = exp(-|x|), the value is 1 / (1 + z) for positive x and z / (1 + z) for negative x, so nothing overflows.
HWY_INLINE FloatVector Logistic(FloatVector x) {
  const Floats d;
  const FloatVector number = Between(-105.0f, x, 105.0f), z = hn::Exp(d, hn::Neg(hn::Abs(number)));
  const FloatVector gate = hn::IfThenElse(hn::Lt(number, hn::Zero(d)), z, Number(1.0f));
  return KeepNan(x, hn::Div(gate, hn::Add(Number(1.0f), z)));
}

// Where |x| is above 10, the value is 1 in float.
HWY_INLINE FloatVector Tanh(FloatVector x) {
  const FloatVector two = Number(2.0f), y = hn::Expm1(Floats(), hn::Mul(two, hn::Abs(Between(-10.0f, x, 10.0f))));
  return KeepNan(x, hn::CopySign(hn::Div(y, hn::Add(y, two)), x));
}

HWY_INLINE FloatVector Elu(FloatVector x) {
  const Floats d;
  return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Expm1(d, Between(-105.0f, x, 0.0f)), x);
}

// A Power is exp of something as a product of two floats: below 2^-126 a float has fewer digits, and a factor that
// comes after would multiply its error, so `scale` is the last factor.
struct Power {
  FloatVector value, scale;

  FloatVector Product() const { return hn::Mul(value, scale); }
};

// Returns exp(high + low), where high is at most 0 and low is so small that its exp is 1 + low. From -128 down it is 0,
// whatever it is multiplied by.
HWY_INLINE Power PowerOf(FloatVector high, FloatVector low) {
  const auto far = hn::Lt(high, Number(-64.0f));
  // From -128 to -64 this sum is exact.
  const FloatVector y = hn::Exp(Floats(), hn::Add(high, hn::IfThenElseZero(far, Number(64.0f))));
  const FloatVector value = hn::IfThenElseZero(hn::Gt(high, Number(-128.0f)), hn::MulAdd(y, low, y));
  return {value, hn::IfThenElse(far, Number(1.60381089e-28f), Number(1.0f))};  // exp(-64)
}

// Returns exp(f(x)), where `f` maps a vector of doubles to the exponent: an exponent like -90 that is rounded to float
// would make the result wrong by 2^-18. It is the sum of two floats.
template <class Function>
HWY_INLINE Power PowerOfDouble(FloatVector x, const Function& f) {
  const Floats d;
#if HWY_TARGET == HWY_SCALAR
  const hn::Rebind<double, Floats> doubles;
  const auto exponent = f(doubles, hn::PromoteTo(doubles, x));
  const FloatVector high = hn::DemoteTo(d, exponent);
  return PowerOf(high, hn::DemoteTo(d, hn::Sub(exponent, hn::PromoteTo(doubles, high))));
#else
  const hn::Half<Floats> half;
  const hn::Rebind<double, hn::Half<Floats> > doubles;
  const auto upper = f(doubles, hn::PromoteTo(doubles, hn::UpperHalf(half, x)));
  const auto lower = f(doubles, hn::PromoteTo(doubles, hn::LowerHalf(half, x)));
  const auto upper_high = hn::DemoteTo(half, upper), lower_high = hn::DemoteTo(half, lower);
  const auto upper_low = hn::DemoteTo(half, hn::Sub(upper, hn::PromoteTo(doubles, upper_high)));
  const auto lower_low = hn::DemoteTo(half, hn::Sub(lower, hn::PromoteTo(doubles, lower_high)));
  return PowerOf(hn::Combine(d, upper_high, lower_high), hn::Combine(d, upper_low, lower_low));
#endif
}

// Returns x / (1 + exp(v)) for a v that has not the sign of x, given exp(-|v|).
HWY_INLINE FloatVector Gated(FloatVector x, const Power& power) {
  const FloatVector y = hn::Div(x, hn::Add(Number(1.0f), power.Product()));
  const FloatVector of_negative = hn::Mul(hn::Mul(y, power.value), power.scale);
  return hn::IfThenElse(hn::Lt(x, hn::Zero(Floats())), of_negative, y);
}

HWY_INLINE FloatVector Silu(FloatVector x) {
  return Gated(x, PowerOf(hn::Neg(hn::Abs(Between(-128.0f, x, 128.0f))), hn::Zero(Floats())));
}

// near::Mish has the formula.
HWY_INLINE FloatVector Mish(FloatVector x) {
  const Floats d;
  const FloatVector two = Number(2.0f), positive = hn::Exp(d, Between(0.0f, x, 20.0f));
  const Power negative = PowerOf(Between(-128.0f, x, 0.0f), hn::Zero(d));
  const auto is_negative = hn::Lt(x, hn::Zero(d));
  const FloatVector n = hn::IfThenElse(is_negative, negative.Product(), positive), sum = hn::Add(n, two);
  const FloatVector y = hn::Mul(hn::Div(x, hn::MulAdd(n, sum, two)), sum);
  return hn::IfThenElse(is_negative, hn::Mul(hn::Mul(y, negative.value), negative.scale), hn::Mul(y, n));
}

// Beyond 14.5 the result is 0 or x in float.
HWY_INLINE FloatVector Gelu(FloatVector x) {
  const FloatVector t = hn::Abs(Between(-16.0f, x, 16.0f)), slow = near::SlowFactorOfPhi(t);
  const Power bell =
      PowerOfDouble(t, [](auto doubles, auto v) HWY_ATTR { return hn::Mul(hn::Set(doubles, -0.5), hn::Mul(v, v)); });
  const FloatVector of_negative = hn::Mul(hn::Mul(hn::Mul(x, slow), bell.value), bell.scale);
  const FloatVector of_positive = hn::Sub(x, hn::Mul(hn::Mul(t, slow), bell.Product()));
  return hn::IfThenElse(hn::Lt(x, hn::Zero(Floats())), of_negative, of_positive);
}

}  // namespace far

// Returns the near value of lanes up to the bound and the far value of others, which are few: what a lane gets does not
// depend on its neighbours, so it is the same however pixels are put into vectors.
template <class Far>
HWY_INLINE FloatVector Choose(FloatVector x, float bound, FloatVector near_value, const Far& far_function) {
  const auto is_near = hn::Le(hn::Abs(x), near::Number(bound));
  if (HWY_LIKELY(hn::AllTrue(Floats(), is_near))) return near_value;
  return hn::IfThenElse(is_near, near_value, far_function(x));
}

HWY_INLINE FloatVector Exp(FloatVector x) { return Choose(x, near::kNear, near::Exp(x), far::Exp); }
HWY_INLINE FloatVector Logistic(FloatVector x) {
  return Choose(x, near::kNearOfLogistic, near::Logistic(x), far::Logistic);
}
HWY_INLINE FloatVector Tanh(FloatVector x) { return Choose(x, near::kNear, near::Tanh(x), far::Tanh); }
HWY_INLINE FloatVector Elu(FloatVector x) { return Choose(x, near::kNear, near::Elu(x), far::Elu); }
HWY_INLINE FloatVector Silu(FloatVector x) { return Choose(x, near::kNearOfLogistic, near::Silu(x), far::Silu); }
HWY_INLINE FloatVector Mish(FloatVector x) { return Choose(x, near::kNear, near::Mish(x), far::Mish); }

HWY_INLINE FloatVector Gelu(FloatVector x) {
#if HWY_TARGET == HWY_SCALAR
  return far::Gelu(x);
#else
  return Choose(x, 11.0f, near::Gelu(x), far::Gelu);
#endif
}

// x / 2 * (1 + tanh(v / 2)) is x / (1 + exp(-v)), and v has the sign of x. Beyond 12, the result is 0 or x in float.
HWY_INLINE FloatVector GeluTanh(FloatVector x) {
  const auto minus_v = [](auto doubles, auto t) HWY_ATTR {
    const auto cubic = hn::MulAdd(hn::Mul(t, t), hn::Set(doubles, 0.044715), hn::Set(doubles, 1.0));
    return hn::Mul(hn::Mul(t, hn::Set(doubles, -1.5957691216057308)), cubic);  // -2 sqrt(2 / pi)
  };
  return far::Gated(x, far::PowerOfDouble(hn::Abs(far::Between(-12.0f, x, 12.0f)), minus_v));
}

HWY_INLINE FloatVector Log(FloatVector x) {
  const Floats d;
  const FloatVector zero = hn::Zero(d), infinity = hn::Inf(d);
  // Numbers whose exponent field is 0 are multiplied by 2^24 first, and 24 log(2) is subtracted.
  const auto tiny = hn::Lt(x, near::Number(1.17549435e-38f));
  const FloatVector scaled = hn::IfThenElse(tiny, hn::Mul(x, near::Number(16777216.0f)), x);
  const auto ordinary = hn::And(hn::Gt(x, zero), hn::Lt(x, infinity));
  const FloatVector y = hn::Log(d, hn::IfThenElse(ordinary, scaled, near::Number(1.0f)));
  const FloatVector number = hn::IfThenElse(tiny, hn::Sub(y, near::Number(16.6355323f)), y);
  const FloatVector of_negative = hn::IfThenElse(hn::Lt(x, zero), hn::NaN(d), x);
  const FloatVector special = hn::IfThenElse(hn::Eq(x, zero), hn::Neg(infinity), of_negative);
  return hn::IfThenElse(ordinary, number, special);
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_UNARY_UNARY_FUNCTIONS_H_
