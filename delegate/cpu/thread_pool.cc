#include "delegate/cpu/thread_pool.h"

#include <algorithm>
#include <system_error>
#include <utility>

namespace mcpruner {
namespace {

// About 50 us on a core of 3 GHz: longer than the gap between two steps, shorter than anyone else's work.
constexpr int kSpins = 4000;
// A caller whose worker was preempted gives its core away after this many spins, again and again.
constexpr int kSpinsBeforeYield = 1000;
// With threads on slow cores. More would help them more, and cost more: a share of a strided convolution splits its own
// input.
constexpr int kSharesPerMixedThread = 4;

void Relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

ThreadPool::ThreadPool(int num_threads, CoreSets cores)
    : cores_(std::move(cores)),
      num_fast_(cores_.mixed() ? std::min(num_threads, static_cast<int>(cores_.fast.size())) : num_threads),
      shares_per_thread_(num_fast_ < num_threads ? kSharesPerMixedThread : 1),
      num_shares_(num_threads * shares_per_thread_),
      claims_(num_shares_, num_fast_) {
  workers_.reserve(static_cast<size_t>(num_threads));
  try {
    for (int i = 1; i < num_threads; ++i) workers_.emplace_back([this, i] { Work(i); });
  } catch (const std::system_error&) {
    // No more threads to be had: the caller claims the shares that have no worker.
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ending_.store(true);
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::Run(Task task, void* context) {
  if (workers_.empty() || busy_.exchange(true, std::memory_order_acquire)) {
    for (int share = 0; share < num_shares_; ++share) task(context, share);
    return;
  }
  task_ = task;
  context_ = context;
  running_.store(num_shares_, std::memory_order_relaxed);
  claims_.BeginSection();
  const uint32_t section = section_.fetch_add(1) +
                           1;  // sequentially consistent, as sleeping_ is: a worker sees the section or we see it sleep
  if (sleeping_.load() > 0) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
    }
    wake_.notify_all();
  }
  DoShares(section, 0);
  for (int spins = 1; running_.load(std::memory_order_acquire) > 0; ++spins) {
    Relax();
    if (spins % kSpinsBeforeYield == 0) std::this_thread::yield();
  }
  busy_.store(false, std::memory_order_release);
}

bool ThreadPool::AwaitSection(uint32_t seen) {
  for (int spins = 0; spins < kSpins; ++spins) {
    if (section_.load(std::memory_order_acquire) != seen) return true;
    if (ending_.load(std::memory_order_relaxed)) return false;
    Relax();
  }
  std::unique_lock<std::mutex> lock(mutex_);
  sleeping_.fetch_add(1);
  wake_.wait(lock, [&] { return section_.load() != seen || ending_.load(); });
  sleeping_.fetch_sub(1);
  return section_.load() != seen;
}

// Of the fast threads one at least is a worker where the caller is on a slow core, so that someone does every share.
bool ThreadPool::IsSlow(int thread) const {
  return thread >= num_fast_ || (thread == 0 && num_fast_ > 1 && IsOnSlowCore(cores_));
}

void ThreadPool::DoShares(uint32_t section, int thread) {
  const bool slow = IsSlow(thread);
  // A section ends when all of its shares are done. So while there is one to claim, task_ is that of this section.
  for (;;) {
    const int share = claims_.Claim(section, thread * shares_per_thread_, slow);
    if (share < 0) return;
    task_(context_, share);
    running_.fetch_sub(1, std::memory_order_release);
  }
}

void ThreadPool::Work(int worker) {
  if (cores_.mixed()) KeepThisThreadOn(worker < num_fast_ ? cores_.fast : cores_.slow);
  for (uint32_t seen = 0; AwaitSection(seen);) {
    seen = section_.load(std::memory_order_acquire);
    DoShares(seen, worker);
  }
}

}  // namespace mcpruner
