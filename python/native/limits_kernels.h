// These are the loops of limits_simd.cc, once for each instruction set.

#ifndef MCPRUNER_PYTHON_NATIVE_LIMITS_KERNELS_H_
#define MCPRUNER_PYTHON_NATIVE_LIMITS_KERNELS_H_

#include <stddef.h>
#include <stdint.h>

// MultiplyAdds may write this many floats: 12 vectors of the widest set.
enum { kMultiplyAddsFloats = 12 * 16 };

// MultiplyAdds does `rounds` rounds of independent multiply-adds and returns how many it did. Their sums go to `out`,
// so that no compiler leaves them out. Read returns the sum of `count` floats from `from`.
#define MCPRUNER_DECLARE_LIMITS(target)             \
  namespace mcpruner {                              \
  namespace target {                                \
  int64_t MultiplyAdds(int64_t rounds, float* out); \
  float Read(const float* from, size_t count);      \
  }                                                 \
  }

MCPRUNER_DECLARE_LIMITS(scalar)
#if defined(__x86_64__)
MCPRUNER_DECLARE_LIMITS(avx2)
MCPRUNER_DECLARE_LIMITS(avx512)
#elif defined(__aarch64__)
MCPRUNER_DECLARE_LIMITS(neon)
#endif

#undef MCPRUNER_DECLARE_LIMITS

#endif  // MCPRUNER_PYTHON_NATIVE_LIMITS_KERNELS_H_
