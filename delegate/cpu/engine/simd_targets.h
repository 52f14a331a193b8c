// The instruction sets that the kernels are compiled for, and which of them this CPU can run.
//
// "neon" and "neon_a53" are one set with two schedules of the convolution, for cores out of order and in order. Where a
// machine has both kinds (core_types.h), "neon_mixed" takes for each call that of the core which the thread is on.

#ifndef MCPRUNER_DELEGATE_CPU_ENGINE_SIMD_TARGETS_H_
#define MCPRUNER_DELEGATE_CPU_ENGINE_SIMD_TARGETS_H_

#include <string>
#include <vector>

#include "delegate/cpu/kernels/kernel_table.h"

namespace mcpruner {

// Kernels of each set this CPU has, "scalar" last; one schedule each.
std::vector<const KernelTable*> RunnableKernels();

// Those that suit this machine's cores.
const KernelTable& BestKernels();

// Names of the kernels in kernels.inc.
std::vector<std::string> KernelNames();

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_ENGINE_SIMD_TARGETS_H_
