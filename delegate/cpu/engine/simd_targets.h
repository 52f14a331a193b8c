// This header lists the instruction sets that micro-kernels are compiled for, and chooses among those this CPU can run.
//
// "neon" and "neon_a53" are one instruction set with two schedules of the convolution: for cores that run out of order
// and in order. Where a machine has both kinds of cores (core_types.h), "neon_mixed" takes, for each call, the schedule
// of the core that the thread is on.

#ifndef MCPRUNER_DELEGATE_CPU_ENGINE_SIMD_TARGETS_H_
#define MCPRUNER_DELEGATE_CPU_ENGINE_SIMD_TARGETS_H_

#include <string>
#include <vector>

#include "delegate/cpu/kernels/micro_kernels.h"

namespace mcpruner {

// Returns the micro-kernels of each instruction set that this CPU has, one schedule each, with "scalar" last.
std::vector<const MicroKernels*> RunnableMicroKernels();

// Returns the micro-kernels that suit this machine's cores best.
const MicroKernels& BestMicroKernels();

// Returns the names of the functions in micro_kernels.inc.
std::vector<std::string> MicroKernelNames();

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_ENGINE_SIMD_TARGETS_H_
