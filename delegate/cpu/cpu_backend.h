// The cpu backend runs graphs on this machine's cores, with the micro-kernels of one of its instruction sets.

#ifndef MCPRUNER_DELEGATE_CPU_CPU_BACKEND_H_
#define MCPRUNER_DELEGATE_CPU_CPU_BACKEND_H_

#include <memory>
#include <string>
#include <vector>

#include "delegate/graph/backend.h"

namespace mcpruner {

constexpr int kMaxThreads = 64;

struct CpuOptions {
  int num_threads = 1;  // 1..kMaxThreads; the pool lives as long as the backend
  // This is a name from CpuSimdTargets(), so that tests reach every instruction set, or "", which chooses what suits
  // this CPU's cores best.
  std::string simd;
};
Result<std::unique_ptr<Backend>> CreateCpuBackend(const CpuOptions& options);

// Returns the SIMD targets that are compiled in and that this CPU can run, best first: "avx512", "avx2", "neon",
// "neon_a53" (for cores that run in order), "scalar".
std::vector<std::string> CpuSimdTargets();

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_CPU_BACKEND_H_
