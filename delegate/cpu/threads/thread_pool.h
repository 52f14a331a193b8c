// A ThreadPool runs many short parallel sections in a row, as the steps of a graph are.
//
//     caller   --Run(task)--[share 0]--wait--   --Run(task)--[share 0][share 1]--
//     worker 1    ..spins.. [share 1] ..spins..              preempted, or still asleep
//
// Each thread claims its own shares first, then whatever share nobody has claimed (share_claims.h), so a section does
// not wait for a worker that is late. A worker that has finished spins for a moment (the next step comes within
// microseconds), then sleeps, so that the threads of other engines find the cores free. Starting a section takes a lock
// only if some worker sleeps. Sections that two threads start at once do not mix: the second caller does all of its
// shares itself.
//
// Where the caller may use cores of two kinds (core_types.h), the pool keeps as many threads on the fast cores as there
// are of these. Further threads stay on the slow cores and claim only what does not hold up the others. Each thread
// then has several shares, since a section of one equal share a thread would take as long as its slowest core. A caller
// that is on a slow core leaves its shares to the workers in the same way.
//
// Workers compute without subnormal numbers (flush_subnormals.h); what the caller's thread does is the caller's choice.
//
// Threads do not survive a fork. In a forked child the caller does every section itself, and the pool is destroyed
// without the threads: what they shared is left where it is, since destroying a condition variable waits for those that
// wait on it. A fork while a section runs is not supported.

#ifndef MCPRUNER_DELEGATE_CPU_THREADS_THREAD_POOL_H_
#define MCPRUNER_DELEGATE_CPU_THREADS_THREAD_POOL_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "delegate/cpu/threads/core_types.h"
#include "delegate/cpu/threads/share_claims.h"

namespace mcpruner {

class ThreadPool {
 public:
  // Starts num_threads - 1 workers on the cores that the caller may use, or fewer if memory or threads run out. Without
  // `cores`, all cores count as one kind.
  explicit ThreadPool(int num_threads, CoreSets cores = {});
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Returns into how many equal shares work is cut.
  int num_shares() const { return num_shares_; }

  // Calls task(context, share) once for each share 0 .. num_shares - 1, on any threads, and returns when all are
  // done. `task` must not throw and must not call Run.
  using Task = void (*)(void* context, int share);
  void Run(Task task, void* context);

 private:
  struct Threads {
    std::vector<std::thread> workers;
    std::mutex mutex;
    std::condition_variable wake;
  };

  // Returns whether this process is a child of the one that started the workers.
  bool IsForked() const;
  void Work(int worker);
  // Does shares of a section for as long as there are any for this thread. Thread 0 is the caller.
  void DoShares(uint32_t section, int thread);
  bool IsSlow(int thread) const;
  // Waits for a section after `seen`, and returns false when the pool ends.
  bool AwaitSection(uint32_t seen);

  const CoreSets cores_;
  const int num_fast_;  // threads
  const int shares_per_thread_;
  const int num_shares_;
  ShareClaims claims_;
  const int64_t process_;             // the process that has the workers
  std::unique_ptr<Threads> threads_;  // null where there are no workers
  std::atomic<bool> busy_{false};
  Task task_ = nullptr;  // what the section runs; written before section_ changes
  void* context_ = nullptr;
  std::atomic<uint32_t> section_{0};  // counts sections
  std::atomic<int> running_{0};       // shares of the section that are not done
  std::atomic<int> sleeping_{0};
  std::atomic<bool> ending_{false};
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_THREADS_THREAD_POOL_H_
