// Which thread does which share of a parallel section.
//
//     own shares     thread 0: [ 0  1  2  3 ]   thread 1: [ 4  5  6  7 ]   ...
//
// A thread claims its own shares first, in order, then whatever share nobody has claimed: one that is late holds nobody
// up. On cores of two kinds there are several shares a thread, and a thread on a slow core claims one only while
//
//     shares unclaimed >= kMaxSlowdown x fast threads
//
// Without it the fast threads would be busy with those for as long as kMaxSlowdown shares take one of them. So a
// section never ends later than if the slow threads did nothing, as long as they are at most kMaxSlowdown times slower.

#ifndef MCPRUNER_DELEGATE_CPU_THREADS_SHARE_CLAIMS_H_
#define MCPRUNER_DELEGATE_CPU_THREADS_SHARE_CLAIMS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mcpruner {

constexpr int kMaxSlowdown = 4;

class ShareClaims {
 public:
  ShareClaims(int num_shares, int num_fast_threads);

  // Before each section. Sections are numbered 1, 2, ...
  void BeginSection() { unclaimed_.store(num_shares_, std::memory_order_relaxed); }

  // A share that is now the caller's, or -1: the section has none left for it. `first` is the caller's first own share.
  // While a section has shares to claim, the next one has not begun; so a claim never succeeds for a section that is
  // over.
  int Claim(uint32_t section, int first, bool slow);

 private:
  const int num_shares_;
  const int slow_limit_;
  std::vector<std::atomic<uint32_t>> claimed_;  // by share: the last section in which it was claimed
  std::atomic<int> unclaimed_{0};
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_THREADS_SHARE_CLAIMS_H_
