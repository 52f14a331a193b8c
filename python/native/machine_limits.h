// This measures what one core of this machine can do at most: multiply-adds, and bytes read from a buffer of a given
// size.

#ifndef MCPRUNER_PYTHON_NATIVE_MACHINE_LIMITS_H_
#define MCPRUNER_PYTHON_NATIVE_MACHINE_LIMITS_H_

#include <cstddef>
#include <string>

#include "delegate/base/status.h"

namespace mcpruner {

// Both functions take an instruction set of CpuSimdTargets(), and return the best of several turns, which together take
// some tens of milliseconds. PeakGflops is in 10^9 float32 operations a second, two for each multiply-add.
Result<double> PeakGflops(const std::string& simd);
// Returns 10^9 bytes a second, of a buffer of 4 KB to 1 GB that is read again and again, so from the cache that it
// fits.
Result<double> ReadGigabytes(const std::string& simd, size_t bytes);

}  // namespace mcpruner

#endif  // MCPRUNER_PYTHON_NATIVE_MACHINE_LIMITS_H_
