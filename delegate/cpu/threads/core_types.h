// On processors with cores of two kinds (big.LITTLE), this finds out which cores run instructions in order.
//
//     /proc/cpuinfo     processor : 0 ... CPU implementer : 0x41 ... CPU part : 0xd03     Cortex-A53: in order, slow
//                       processor : 4 ... CPU implementer : 0x41 ... CPU part : 0xd09     Cortex-A73: out of order
//
// Slow cores get their own schedule of the convolution (simd_targets.h), and only as much work as does not hold up the
// fast ones (thread_pool.h). A core of which the file says nothing (on x86, or switched off) counts as fast.

#ifndef MCPRUNER_DELEGATE_CPU_THREADS_CORE_TYPES_H_
#define MCPRUNER_DELEGATE_CPU_THREADS_CORE_TYPES_H_

#include <istream>
#include <vector>

namespace mcpruner {

// CoreSets holds the numbers of the cores of each kind, ascending.
struct CoreSets {
  std::vector<int> fast, slow;
  bool mixed() const { return !fast.empty() && !slow.empty(); }
};

// Reads the text of /proc/cpuinfo.
CoreSets ParseCpuInfo(std::istream& text);

// Returns all cores of this machine, which are looked up once.
const CoreSets& CoresOfThisMachine();

// Returns the cores that the calling thread may run on.
CoreSets CoresOfThisThread();

// Returns whether the calling thread is on a slow core at this moment.
bool IsOnSlowCore(const CoreSets& cores);

// Keeps the calling thread on `cores`, if it can: the system may have taken these away since.
void KeepThisThreadOn(const std::vector<int>& cores);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_THREADS_CORE_TYPES_H_
