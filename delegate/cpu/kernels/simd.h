// SIMD sources share these: tags, unrolling and stores of part of a vector. Only *_simd.cc may include this header,
// since each function here exists once per instruction set, in the namespace of that set.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_SIMD_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_SIMD_H_

// Highway's own checks in debug builds would call its library, of which only the headers are used.
#define HWY_IS_DEBUG_BUILD 0
#include <hwy/highway.h>
#include <stddef.h>
#include <stdint.h>

#ifndef MCPRUNER_SIMD_TARGET
#error "compile SIMD sources with simd_library (tools/copts.bzl), which names the target"
#endif

// This is 1 in code for NEON, which has a few things that Highway has no word for.
#define MCPRUNER_NEON (HWY_ARCH_ARM_A64 && HWY_TARGET != HWY_SCALAR)

// This is 1 for cores that run instructions in order, where a value that is not there yet holds up all that follow.
#ifndef MCPRUNER_IN_ORDER
#define MCPRUNER_IN_ORDER 0
#endif

// Stands before a loop over registers, of which the compiler then leaves nothing but its unrolled body.
#if defined(__clang__)
#define MCPRUNER_UNROLL _Pragma("unroll")
#else
#define MCPRUNER_UNROLL _Pragma("GCC unroll 16")
#endif

// Stands before the body of a lambda whose code belongs into each of the loops that call it.
#define MCPRUNER_INLINE_LAMBDA HWY_ATTR __attribute__((always_inline))

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {

namespace hn = hwy::HWY_NAMESPACE;

// Floats is the widest vector of floats; FewFloats is what it is cut down to for narrow images.
using Floats = hn::ScalableTag<float>;
template <size_t kLanes>
using FewFloats = hn::CappedTag<float, kLanes>;
constexpr size_t kFloats = hn::MaxLanes(Floats());

// An Index is a number that is part of its type, so that an index into an array of registers is a constant.
template <size_t kValue>
struct Index {
  static constexpr size_t value = kValue;
};

// Calls f(Index<0>()), ..., f(Index<kCount - 1>()), unrolled.
template <size_t kCount, size_t kFrom = 0, class Function>
HWY_INLINE void Unroll(const Function& f) {
  if constexpr (kFrom < kCount) {
    f(Index<kFrom>());
    Unroll<kCount, kFrom + 1>(f);
  }
}

// Stores the first `count` lanes (0 .. lanes) and touches nothing behind them, where another thread may be writing.
template <class D>
HWY_INLINE void StoreFirst(hn::Vec<D> v, D d, float* to, size_t count) {
  if (count >= hn::Lanes(d)) return hn::StoreU(v, d, to);
#if HWY_TARGET <= HWY_AVX2 && HWY_ARCH_X86
  hn::BlendedStore(v, hn::FirstN(d, count), d, to);  // one masked store
#elif MCPRUNER_NEON
  if constexpr (hn::MaxLanes(D()) == 4) {
    if (count & 2) {
      hn::StoreU(hn::LowerHalf(v), hn::Half<D>(), to);
      v = hn::Combine(d, hn::UpperHalf(hn::Half<D>(), v), hn::UpperHalf(hn::Half<D>(), v));
      to += 2;
    }
  }
  if (count & 1) *to = hn::GetLane(v);
#else
  HWY_ALIGN float lanes[hn::MaxLanes(D())];
  hn::Store(v, d, lanes);
  for (size_t i = 0; i < count; ++i) to[i] = lanes[i];
#endif
}

// A displacement in bytes saves the scaling of an index at each load.
HWY_INLINE const float* Displaced(const float* x, ptrdiff_t bytes) {
  return reinterpret_cast<const float*>(reinterpret_cast<const char*>(x) + bytes);
}
HWY_INLINE float* Displaced(float* x, ptrdiff_t bytes) {
  return reinterpret_cast<float*>(reinterpret_cast<char*>(x) + bytes);
}

// Writes the zeros at an end of a row. Most often there are one to three, so these are written before the loop, which
// the compiler turns into a more expensive call to memset (docs/performance.md).
HWY_INLINE void StoreZeros(float* to, ptrdiff_t count) {
  if (count > 0) to[0] = 0.0f;
  if (count > 1) to[1] = 0.0f;
  if (count > 2) to[2] = 0.0f;
  for (ptrdiff_t i = 3; i < count; ++i) to[i] = 0.0f;
}

// AtLeast returns the larger, and AtMost the smaller, of a bound and v; where v is NaN they return NaN, as TFLite's
// activations do. hn::Max and hn::Min do not promise that: on x86 the second operand comes out where one is NaN,
// elsewhere the one that is a number.
template <class V>
HWY_INLINE V AtLeast(V bound, V v) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
  return hn::Max(bound, v);
#elif MCPRUNER_NEON
  if constexpr (hn::MaxLanes(hn::DFromV<V>()) == 4)
    return V(vmaxq_f32(bound.raw, v.raw));
  else
    return V(vmax_f32(bound.raw, v.raw));
#else
  return hn::IfThenElse(hn::Lt(v, bound), bound, v);
#endif
}
template <class V>
HWY_INLINE V AtMost(V bound, V v) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
  return hn::Min(bound, v);
#elif MCPRUNER_NEON
  if constexpr (hn::MaxLanes(hn::DFromV<V>()) == 4)
    return V(vminq_f32(bound.raw, v.raw));
  else
    return V(vmin_f32(bound.raw, v.raw));
#else
  return hn::IfThenElse(hn::Gt(v, bound), bound, v);
#endif
}

// An activation is a clamp to low .. high; NaN passes.
template <class D>
HWY_INLINE hn::Vec<D> Clamp(D d, hn::Vec<D> v, float low, float high) {
  return AtMost(hn::Set(d, high), AtLeast(hn::Set(d, low), v));
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_SIMD_H_
