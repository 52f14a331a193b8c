#include "python/native/cpu_features.h"

#include "delegate/cpu/engine/has_f16c.h"

#ifdef __aarch64__
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace mcpruner {

std::vector<std::string> CpuFeatures() {
  std::vector<std::string> names;
  const auto add = [&names](bool has, const char* name) {
    if (has) names.push_back(name);
  };
#if defined(__x86_64__)
  // The builtin takes literals only.
  add(__builtin_cpu_supports("sse4.2"), "sse4.2");
  add(__builtin_cpu_supports("avx"), "avx");
  add(HasF16c(), "f16c");
  add(__builtin_cpu_supports("avx2"), "avx2");
  add(__builtin_cpu_supports("fma"), "fma");
  add(__builtin_cpu_supports("avx512f"), "avx512f");
  add(__builtin_cpu_supports("avx512bw"), "avx512bw");
  add(__builtin_cpu_supports("avx512dq"), "avx512dq");
  add(__builtin_cpu_supports("avx512vl"), "avx512vl");
#elif defined(__aarch64__)
  const unsigned long bits = getauxval(AT_HWCAP);
  add((bits & HWCAP_ASIMD) != 0, "neon");
  add((bits & HWCAP_ASIMDHP) != 0, "fp16");
  add((bits & HWCAP_ASIMDDP) != 0, "dotprod");
#endif
  return names;
}

}  // namespace mcpruner
