// HasF16c asks the CPU itself about F16C: that name is unknown to __builtin_cpu_supports of older compilers (Clang 16).

#ifndef MCPRUNER_DELEGATE_CPU_ENGINE_HAS_F16C_H_
#define MCPRUNER_DELEGATE_CPU_ENGINE_HAS_F16C_H_

#if defined(__x86_64__)
#include <cpuid.h>

namespace mcpruner {

// Returns whether this CPU converts half-precision floats. Its vectors are those of AVX, for which the builtin asks the
// operating system too.
inline bool HasF16c() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __builtin_cpu_supports("avx") && __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}

}  // namespace mcpruner
#endif

#endif  // MCPRUNER_DELEGATE_CPU_ENGINE_HAS_F16C_H_
