// Functions of vectors of floats for arguments near zero, which is nearly all that networks have: |x| is at most kNear,
// so that no exponential overflows or has fewer digits than a float, and no argument is NaN. unary_functions.h has the
// functions for all floats, chooses, and says how exact they are. Only *_simd.cc may include this.
//
// The polynomials have the least largest relative error on their range, by least squares with Lawson's weights.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_UNARY_NEAR_FUNCTIONS_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_UNARY_NEAR_FUNCTIONS_H_

#include "delegate/cpu/kernels/simd.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {

using FloatVector = hn::Vec<Floats>;

namespace near {

constexpr float kNear = 64.0f;
constexpr float kNearOfLogistic = 44.0f;

HWY_INLINE FloatVector Number(float value) { return hn::Set(Floats(), value); }

// Returns coefficients[0] + coefficients[1] x + ...
template <size_t kCount>
HWY_INLINE FloatVector Polynomial(const float (&coefficients)[kCount], FloatVector x) {
  FloatVector sum = Number(coefficients[kCount - 1]);
  for (size_t i = kCount - 1; i-- > 0;) sum = hn::MulAdd(sum, x, Number(coefficients[i]));
  return sum;
}

// Returns x / y for y between 1 and 2^64, where no step of Newton's method overflows. Each step doubles the exact bits;
// the last one is applied to the quotient.
HWY_INLINE FloatVector Divided(FloatVector x, FloatVector y) {
#if HWY_TARGET == HWY_SCALAR
  return hn::Div(x, y);
#else
  const FloatVector one = Number(1.0f);
  FloatVector reciprocal = hn::ApproximateReciprocal(y);  // 14 bits with AVX-512, 12 with AVX2, 8 with NEON
  if constexpr (kFloats < 16) reciprocal = hn::MulAdd(reciprocal, hn::NegMulAdd(y, reciprocal, one), reciprocal);
  const FloatVector quotient = hn::Mul(x, reciprocal);
  return hn::MulAdd(quotient, hn::NegMulAdd(y, reciprocal, one), quotient);
#endif
}

// Returns exp(kSign x), which is 2^q exp(r), where q is kSign x / log(2) rounded: adding 1.5 * 2^23 leaves it in the
// lowest bits of a float. log(2) is two floats, so that r is exact. The polynomial errs by 3e-9 for |r| up to half of
// log(2). It is summed up by pairs, since what takes time is the longest chain of operations: a CPU has few of these
// chains under way at once.
template <int kSign>
HWY_INLINE FloatVector ExpOf(FloatVector x) {
  constexpr float kPolynomial[] = {0.49999994f, 0.166665211f, 0.041668389f, 0.0083687352f, 0.00138145592f};
  const Floats d;
  const hn::RebindToSigned<Floats> integers;
  const FloatVector rounder = Number(12582912.0f);
  const FloatVector shifted = hn::MulAdd(x, Number(kSign * 1.44269504f), rounder);
  const FloatVector q = hn::Sub(shifted, rounder), log2 = Number(0.693359375f);
  const FloatVector high = kSign > 0 ? hn::NegMulAdd(q, log2, x) : hn::NegMulSub(q, log2, x);
  const FloatVector r = hn::NegMulAdd(q, Number(-2.12194440e-4f), high);
  const FloatVector square = hn::Mul(r, r);
  const FloatVector low = hn::MulAdd(Number(kPolynomial[1]), r, Number(kPolynomial[0]));
  const FloatVector middle = hn::MulAdd(Number(kPolynomial[3]), r, Number(kPolynomial[2]));
  const FloatVector sum = hn::MulAdd(hn::MulAdd(Number(kPolynomial[4]), square, middle), square, low);
  const FloatVector y = hn::MulAdd(square, sum, hn::Add(Number(1.0f), r));
  const auto exponent = hn::ShiftLeft<23>(hn::BitCast(integers, shifted));
  return hn::BitCast(d, hn::Add(hn::BitCast(integers, y), exponent));
}

HWY_INLINE FloatVector Exp(FloatVector x) { return ExpOf<1>(x); }

// Returns y / (1 + exp(-x)). |x| is at most kNearOfLogistic, so that the divisor is below 2^64.
HWY_INLINE FloatVector Gated(FloatVector y, FloatVector x) { return Divided(y, hn::Add(Number(1.0f), ExpOf<-1>(x))); }

HWY_INLINE FloatVector Logistic(FloatVector x) { return Gated(Number(1.0f), x); }

HWY_INLINE FloatVector Silu(FloatVector x) { return Gated(x, x); }

// Where |x| is below 0.625, an odd polynomial errs by 4e-9; beyond, with z = exp(-2 |x|), it is 1 - 2 z / (1 + z).
HWY_INLINE FloatVector Tanh(FloatVector x) {
  constexpr float kPolynomial[] = {-0.333332807f, 0.133314416f, -0.0537397154f, 0.020639088f, -0.00570498733f};
  const FloatVector one = Number(1.0f), t = hn::Abs(x), square = hn::Mul(x, x);
  const FloatVector of_small = hn::MulAdd(hn::Mul(x, square), Polynomial(kPolynomial, square), x);
  const FloatVector z = Exp(hn::Mul(Number(-2.0f), hn::Min(t, Number(0.5f * kNear))));
  const FloatVector of_large = hn::Sub(one, Divided(hn::Add(z, z), hn::Add(one, z)));
  return hn::IfThenElse(hn::Lt(t, Number(0.625f)), of_small, hn::CopySign(of_large, x));
}

// Where x is above -0.6, a polynomial errs by 4e-9; beyond, nothing cancels.
HWY_INLINE FloatVector Elu(FloatVector x) {
  constexpr float kPolynomial[] = {0.499999672f, 0.166659042f, 0.041608531f, 0.00813704357f, 0.00107983593f};
  const FloatVector of_small = hn::MulAdd(hn::Mul(x, x), Polynomial(kPolynomial, x), x);
  const FloatVector of_large = hn::Sub(Exp(x), Number(1.0f));
  const FloatVector of_negative = hn::IfThenElse(hn::Lt(x, Number(-0.6f)), of_large, of_small);
  return hn::IfThenElse(hn::Lt(x, hn::Zero(Floats())), of_negative, x);
}

// tanh(log(1 + n)) is n (n + 2) / (n (n + 2) + 2) with n = exp(x); where x is above 20, it is 1 in float.
HWY_INLINE FloatVector Mish(FloatVector x) {
  const FloatVector two = Number(2.0f), n = Exp(hn::Min(x, Number(20.0f)));
  const FloatVector m = hn::Mul(n, hn::Add(n, two));
  return Divided(hn::Mul(x, m), hn::Add(m, two));
}

// For t >= 0, Phi(-t) is exp(-t^2 / 2) times a function that falls from 1/2 as slowly as 1 / (1 + t), which this
// returns. Its product with 1 + t is a polynomial in u = (t - 3.5) / (t + 3.5) that errs by 1.4e-8 for t up to 14.5.
HWY_INLINE FloatVector SlowFactorOfPhi(FloatVector t) {
  constexpr float kPolynomial[] = {0.478553176f,  -0.0977125913f, 0.000787386089f, 0.0380483791f,  -0.0302633327f,
                                   0.0103722475f, 0.00029541424f, -0.00138860871f, 9.3232833e-05f, 0.000146469509f};
  const FloatVector middle = Number(3.5f), u = Divided(hn::Sub(t, middle), hn::Add(t, middle));
  return hn::Div(Polynomial(kPolynomial, u), hn::Add(Number(1.0f), t));
}

#if HWY_TARGET != HWY_SCALAR
// |x| is at most 11. What rounding takes from t^2 is known exactly by a fused multiply-add.
HWY_INLINE FloatVector Gelu(FloatVector x) {
  const Floats d;
  const FloatVector t = hn::Abs(x), square = hn::Mul(t, t), minus_half = Number(-0.5f);
  const FloatVector lost = hn::MulSub(t, t, square), y = Exp(hn::Mul(minus_half, square));
  const FloatVector bell = hn::MulAdd(y, hn::Mul(minus_half, lost), y);
  const FloatVector product = hn::Mul(hn::Mul(t, SlowFactorOfPhi(t)), bell);
  return hn::Sub(hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Zero(d), x), product);
}
#endif

}  // namespace near
}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_UNARY_NEAR_FUNCTIONS_H_
