// Functions of a few instructions, which micro-kernels apply to results in registers, before they store them.
//
// Only *_simd.cc may include this.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_STORE_EPILOGUE_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_STORE_EPILOGUE_H_

#include "delegate/cpu/kernels/row_args.h"
#include "delegate/cpu/kernels/simd.h"

HWY_BEFORE_NAMESPACE();
namespace mcpruner {
namespace MCPRUNER_SIMD_TARGET {

template <class D>
HWY_INLINE hn::Vec<D> HardSwish(D d, hn::Vec<D> x) {
  const auto gate = Clamp(d, hn::Add(x, hn::Set(d, 3.0f)), 0.0f, 6.0f);
  return hn::Mul(x, hn::Mul(gate, hn::Set(d, 1.0f / 6.0f)));
}

template <class D>
HWY_INLINE hn::Vec<D> LeakyRelu(D d, hn::Vec<D> x, hn::Vec<D> alpha) {
  return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Mul(x, alpha), x);
}

// Applies an epilogue to vectors of one channel.
template <class D, size_t kVectors>
HWY_INLINE void ApplyEpilogue(D d, const StoreEpilogue& epilogue, int32_t channel, hn::Vec<D> (&v)[kVectors]) {
  if (epilogue.function == StoreFunction::kLeakyRelu) {
    const auto alpha = hn::Set(d, epilogue.alphas[channel]);
    MCPRUNER_UNROLL
    for (size_t i = 0; i < kVectors; ++i) v[i] = LeakyRelu(d, v[i], alpha);
  } else if (epilogue.function == StoreFunction::kHardSwish) {
    MCPRUNER_UNROLL
    for (size_t i = 0; i < kVectors; ++i) v[i] = HardSwish(d, v[i]);
  }
}

}  // namespace MCPRUNER_SIMD_TARGET
}  // namespace mcpruner
HWY_AFTER_NAMESPACE();

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_STORE_EPILOGUE_H_
