#include "delegate/cpu/threads/thread_pool.h"

#include <unistd.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "delegate/cpu/threads/flush_subnormals.h"

namespace mcpruner {
namespace {

// A worker spins this often before it sleeps: about 50 us on a core of 3 GHz, which is longer than the gap between two
// steps and shorter than the work of others who want the core. Other numbers were not measured.
constexpr int kSpins = 4000;
// A caller whose worker was preempted gives its core away each time it has spun this often. Other numbers were not
// measured.
constexpr int kSpinsBeforeYield = 1000;
// Where there are threads on slow cores, each thread has this many shares. More would give the slow cores more to do,
// but also cost more, since each share of a strided convolution splits its own input (docs/aarch64.md).
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
      claims_(num_shares_, num_fast_),
      process_(getpid()) {
  if (num_threads <= 1) return;
  threads_ = std::make_unique<Threads>();
  threads_->workers.reserve(static_cast<size_t>(num_threads));
  try {
    for (int i = 1; i < num_threads; ++i) threads_->workers.emplace_back([this, i] { Work(i); });
  } catch (const std::exception&) {
    // There are no more threads or memory: the other threads claim the shares that have no worker.
  }
  if (threads_->workers.empty()) threads_.reset();
}

ThreadPool::~ThreadPool() {
  if (threads_ == nullptr) return;
  if (IsForked()) {
    static_cast<void>(threads_.release());
    return;
  }
  {
    const std::lock_guard<std::mutex> lock(threads_->mutex);
    ending_.store(true);
  }
  threads_->wake.notify_all();
  for (std::thread& worker : threads_->workers) worker.join();
}

bool ThreadPool::IsForked() const { return getpid() != process_; }

void ThreadPool::Run(Task task, void* context) {
  const auto run_all = [&] {
    for (int share = 0; share < num_shares_; ++share) task(context, share);
  };
  if (threads_ == nullptr || busy_.exchange(true, std::memory_order_acquire)) return run_all();
  task_ = task;
  context_ = context;
  running_.store(num_shares_, std::memory_order_relaxed);
  claims_.BeginSection();
  // This is sequentially consistent, as sleeping_ is: either a worker sees the section, or we see that it sleeps.
  const uint32_t section = section_.fetch_add(1) + 1;
  if (sleeping_.load() > 0) {
    if (IsForked()) return run_all();  // and the pool stays busy: those that sleep will never wake
    {
      const std::lock_guard<std::mutex> lock(threads_->mutex);
    }
    threads_->wake.notify_all();
  }
  DoShares(section, 0);
  for (uint32_t spins = 1; running_.load(std::memory_order_acquire) > 0; ++spins) {
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
  std::unique_lock<std::mutex> lock(threads_->mutex);
  sleeping_.fetch_add(1);
  threads_->wake.wait(lock, [&] { return section_.load() != seen || ending_.load(); });
  sleeping_.fetch_sub(1);
  return section_.load() != seen;
}

// At least one fast thread is a worker where the caller is on a slow core, so that someone does every share.
bool ThreadPool::IsSlow(int thread) const {
  return thread >= num_fast_ || (thread == 0 && num_fast_ > 1 && IsOnSlowCore(cores_) && !IsForked());
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
  const FlushSubnormals flush;
  if (cores_.mixed()) KeepThisThreadOn(worker < num_fast_ ? cores_.fast : cores_.slow);
  for (uint32_t seen = 0; AwaitSection(seen);) {
    seen = section_.load(std::memory_order_acquire);
    DoShares(seen, worker);
  }
}

}  // namespace mcpruner
