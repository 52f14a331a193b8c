#include "delegate/cpu/engine/simd_targets.h"

#include "delegate/cpu/engine/has_f16c.h"
#include "delegate/cpu/threads/core_types.h"

namespace mcpruner {
namespace {

#define MCPRUNER_MICRO_KERNEL(function, Args) &MCPRUNER_TABLE_TARGET::function,
#if defined(__x86_64__)
#define MCPRUNER_TABLE_TARGET avx512
constexpr MicroKernels kAvx512{
    "avx512",
    16,
    32,
#include "delegate/cpu/kernels/micro_kernels.inc"
};
#undef MCPRUNER_TABLE_TARGET
#define MCPRUNER_TABLE_TARGET avx2
constexpr MicroKernels kAvx2{
    "avx2",
    8,
    16,
#include "delegate/cpu/kernels/micro_kernels.inc"
};
#undef MCPRUNER_TABLE_TARGET
#elif defined(__aarch64__)
#define MCPRUNER_TABLE_TARGET neon
constexpr MicroKernels kNeon{
    "neon",
    4,
    32,
#include "delegate/cpu/kernels/micro_kernels.inc"
};
#undef MCPRUNER_TABLE_TARGET
constexpr MicroKernels NeonA53() {
  MicroKernels micro_kernels = kNeon;
  micro_kernels.target = "neon_a53";
  micro_kernels.ConvTile = &neon_a53::ConvTile;
  return micro_kernels;
}
constexpr MicroKernels kNeonA53 = NeonA53();

// A thread may move to another core at any moment; either schedule is right on both.
const MicroKernels& NeonOfThisCore() { return IsOnSlowCore(CoresOfThisMachine()) ? kNeonA53 : kNeon; }
constexpr MicroKernels NeonMixed() {
  MicroKernels micro_kernels = kNeon;
  micro_kernels.target = "neon_mixed";
  micro_kernels.OfThisCore = &NeonOfThisCore;
  return micro_kernels;
}
constexpr MicroKernels kNeonMixed = NeonMixed();
#endif
#define MCPRUNER_TABLE_TARGET scalar
constexpr MicroKernels kScalar{
    "scalar",
    1,
    16,
#include "delegate/cpu/kernels/micro_kernels.inc"
};
#undef MCPRUNER_TABLE_TARGET
#undef MCPRUNER_MICRO_KERNEL

#if defined(__x86_64__)
// These check every extension that the compiler may use under the flags of tools/copts.bzl. The builtins and HasF16c
// ask the operating system too.
bool HasAvx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && HasF16c() &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("aes") &&
         __builtin_cpu_supports("pclmul");
}
bool HasAvx512() {
  return HasAvx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

}  // namespace

std::vector<const MicroKernels*> RunnableMicroKernels() {
  std::vector<const MicroKernels*> tables;
#if defined(__x86_64__)
  if (HasAvx512()) tables.push_back(&kAvx512);
  if (HasAvx2()) tables.push_back(&kAvx2);
#elif defined(__aarch64__)
  tables.push_back(&kNeon);  // part of ARMv8.0
  tables.push_back(&kNeonA53);
#endif
  tables.push_back(&kScalar);
  return tables;
}

const MicroKernels& BestMicroKernels() {
#if defined(__aarch64__)
  const CoreSets& cores = CoresOfThisMachine();
  if (cores.mixed()) return kNeonMixed;
  if (!cores.slow.empty()) return kNeonA53;
#endif
  return *RunnableMicroKernels().front();
}

std::vector<std::string> MicroKernelNames() {
  return {
#define MCPRUNER_MICRO_KERNEL(function, Args) #function,
#include "delegate/cpu/kernels/micro_kernels.inc"
#undef MCPRUNER_MICRO_KERNEL
  };
}

}  // namespace mcpruner
