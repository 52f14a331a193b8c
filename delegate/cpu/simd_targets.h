// The instruction sets that the kernels are compiled for, and which of them this CPU can run.

#ifndef MCPRUNER_DELEGATE_CPU_SIMD_TARGETS_H_
#define MCPRUNER_DELEGATE_CPU_SIMD_TARGETS_H_

#include <string>
#include <vector>

#include "delegate/cpu/kernels/kernel_table.h"

namespace mcpruner {

// Kernels of each set this CPU has, best first; "scalar" is always the last.
std::vector<const KernelTable*> RunnableKernels();

// Names of the kernels in kernels.inc.
std::vector<std::string> KernelNames();

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_SIMD_TARGETS_H_
