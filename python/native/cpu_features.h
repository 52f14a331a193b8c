// This lists the instruction sets of the CPU that we run on, among those that the kernels choose by.

#ifndef MCPRUNER_PYTHON_NATIVE_CPU_FEATURES_H_
#define MCPRUNER_PYTHON_NATIVE_CPU_FEATURES_H_

#include <string>
#include <vector>

namespace mcpruner {

// Returns names such as "sse4.2", "avx2", "fma", "avx512f", or "neon", "fp16", "dotprod".
std::vector<std::string> CpuFeatures();

}  // namespace mcpruner

#endif  // MCPRUNER_PYTHON_NATIVE_CPU_FEATURES_H_
