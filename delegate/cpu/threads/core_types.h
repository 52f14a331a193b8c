// Which cores of this machine run in order, for processors with cores of two kinds (big.LITTLE).
//
//     /proc/cpuinfo     processor : 0 ... CPU implementer : 0x41 ... CPU part : 0xd03     Cortex-A53: in order, slow
//                       processor : 4 ... CPU implementer : 0x41 ... CPU part : 0xd09     Cortex-A73: out of order,
//                       fast
//
// Slow cores get a schedule of the convolution of their own (simd_targets.h) and only as much work as does not hold up
// the fast ones (thread_pool.h). A core of which the file says nothing (x86, one that was switched off) counts as fast.

#ifndef MCPRUNER_DELEGATE_CPU_THREADS_CORE_TYPES_H_
#define MCPRUNER_DELEGATE_CPU_THREADS_CORE_TYPES_H_

#include <istream>
#include <vector>

namespace mcpruner {

// Numbers of cores, ascending.
struct CoreSets {
  std::vector<int> fast, slow;
  bool mixed() const { return !fast.empty() && !slow.empty(); }
};

// From the text of /proc/cpuinfo.
CoreSets ParseCpuInfo(std::istream& text);

// All cores of this machine; read once.
const CoreSets& CoresOfThisMachine();

// Those of them that the calling thread may run on.
CoreSets CoresOfThisThread();

// Whether the calling thread is on a slow core at this moment.
bool IsOnSlowCore(const CoreSets& cores);

// Keeps the calling thread on `cores`. Best effort: the system may have taken them away since.
void KeepThisThreadOn(const std::vector<int>& cores);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_THREADS_CORE_TYPES_H_
