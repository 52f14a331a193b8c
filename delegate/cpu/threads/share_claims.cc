#include "delegate/cpu/threads/share_claims.h"

namespace mcpruner {

ShareClaims::ShareClaims(int num_shares, int num_fast_threads)
    : num_shares_(num_shares),
      slow_limit_(kMaxSlowdown * num_fast_threads),
      claimed_(static_cast<size_t>(num_shares)) {}

int ShareClaims::Claim(uint32_t section, int first, bool slow) {
  for (int i = 0; i < num_shares_; ++i) {
    if (slow && unclaimed_.load(std::memory_order_relaxed) < slow_limit_) return -1;
    const int share = (first + i) % num_shares_;
    std::atomic<uint32_t>& claimed = claimed_[static_cast<size_t>(share)];
    uint32_t last = section - 1;
    if (claimed.load(std::memory_order_relaxed) != last) continue;  // spares the others its cache line
    if (!claimed.compare_exchange_strong(last, section)) continue;
    unclaimed_.fetch_sub(1, std::memory_order_relaxed);
    return share;
  }
  return -1;
}

}  // namespace mcpruner
