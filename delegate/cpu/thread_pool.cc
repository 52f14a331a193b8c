#include "delegate/cpu/thread_pool.h"

#include <system_error>

namespace mcpruner {
namespace {

// About 50 us on a core of 3 GHz: longer than the gap between two steps, shorter than anyone else's work.
constexpr int kSpins = 4000;
// A caller whose worker was preempted gives its core away after this many spins, again and again.
constexpr int kSpinsBeforeYield = 1000;

void Relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

ThreadPool::ThreadPool(int num_threads) : num_threads_(num_threads), claimed_(static_cast<size_t>(num_threads)) {
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
    for (int share = 0; share < num_threads_; ++share) task(context, share);
    return;
  }
  task_ = task;
  context_ = context;
  running_.store(num_threads_, std::memory_order_relaxed);
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

void ThreadPool::DoShares(uint32_t section, int first) {
  for (int i = 0; i < num_threads_; ++i) {
    const int share = (first + i) % num_threads_;
    // A section ends when all of its shares are done. So while there is one to claim, task_ is that of this section.
    uint32_t last = section - 1;
    if (!claimed_[static_cast<size_t>(share)].compare_exchange_strong(last, section)) continue;
    task_(context_, share);
    running_.fetch_sub(1, std::memory_order_release);
  }
}

void ThreadPool::Work(int worker) {
  for (uint32_t seen = 0; AwaitSection(seen);) {
    seen = section_.load(std::memory_order_acquire);
    DoShares(seen, worker);
  }
}

}  // namespace mcpruner
