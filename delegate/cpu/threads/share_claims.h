// ShareClaims decides which thread does which share of a parallel section.
//
//     own shares     thread 0: [ 0  1  2  3 ]   thread 1: [ 4  5  6  7 ]   ...
//
// A thread claims its own shares first, in order, then whatever share nobody has claimed, so that a thread that is late
// holds nobody up. On cores of two kinds each thread has several shares, and a thread on a slow core claims one only
// while
//
//     shares unclaimed >= kMaxSlowdown x fast threads
//
// The fast threads are then busy with the unclaimed shares for as long as the slow one needs for its share. So a
// section never ends later than if the slow threads did nothing, as long as they are at most kMaxSlowdown times slower.

#ifndef MCPRUNER_DELEGATE_CPU_THREADS_SHARE_CLAIMS_H_
#define MCPRUNER_DELEGATE_CPU_THREADS_SHARE_CLAIMS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mcpruner {

// A larger number covers slower cores but lets them help less; 4 was checked in virtual time (docs/aarch64.md).
constexpr int kMaxSlowdown = 4;

class ShareClaims {
 public:
  ShareClaims(int num_shares, int num_fast_threads);

  // The pool calls this before each section. Sections are numbered 1, 2, ...
  void BeginSection() { unclaimed_.store(num_shares_, std::memory_order_relaxed); }

  // Returns a share that now belongs to the caller, or -1 if the section has none left for it. `first` is the caller's
  // first own share. The next section does not begin while this one has shares to claim, so a claim never succeeds for
  // a section that is over.
  int Claim(uint32_t section, int first, bool slow);

 private:
  const int num_shares_;
  const int slow_limit_;
  std::vector<std::atomic<uint32_t>> claimed_;  // for each share, the last section in which it was claimed
  std::atomic<int> unclaimed_{0};
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_THREADS_SHARE_CLAIMS_H_
