// A pool of threads for many short parallel sections in a row, as the steps of a graph are.
//
//     caller   --Run(task)--[share 0]--wait--   --Run(task)--[share 0][share 1]--
//     worker 1    ..spins.. [share 1] ..spins..              preempted, or still asleep
//
// Each thread claims its own shares first, then whatever share nobody has claimed (share_claims.h): a section whose
// worker is late does not wait for it. A worker that has finished spins for a moment (the next step comes within
// microseconds), then sleeps, so that other engines' threads find the cores free. Starting a section takes a lock only
// if some worker sleeps. Sections started from two threads at once do not mix: the second caller does all its shares
// itself.
//
// Where the caller may use cores of two kinds (core_types.h), as many threads as there are fast cores are kept on
// those. Further ones are kept on the slow cores, and claim what does not hold up the others; then there are several
// shares a thread, for equal ones would all take as long as on a slow core. A caller that is on a slow core leaves its
// shares to the workers in the same way.
//
// Threads do not survive a fork. In a forked child every section is done by its caller, and the pool is destroyed
// without the threads: what they shared is left where it is, since a condition variable would wait for those that wait
// on it. A fork while a section runs is not supported.

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
  // Starts num_threads - 1 workers, or as many of them as there are memory and threads for, on the cores that the
  // caller may use; none named: on cores of one kind.
  explicit ThreadPool(int num_threads, CoreSets cores = {});
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Into how many equal shares work is cut.
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

  // Whether this is a child of the process that started the workers.
  bool IsForked() const;
  void Work(int worker);
  // Does shares of a section for as long as there are any for this thread; 0 is the caller.
  void DoShares(uint32_t section, int thread);
  bool IsSlow(int thread) const;
  // Waits for a section after `seen`; false when the pool ends.
  bool AwaitSection(uint32_t seen);

  const CoreSets cores_;
  const int num_fast_;  // threads
  const int shares_per_thread_;
  const int num_shares_;
  ShareClaims claims_;
  const int64_t process_;             // that has the workers
  std::unique_ptr<Threads> threads_;  // null where there are no workers
  std::atomic<bool> busy_{false};
  Task task_ = nullptr;  // of the section; written before section_ changes
  void* context_ = nullptr;
  std::atomic<uint32_t> section_{0};  // counts sections
  std::atomic<int> running_{0};       // shares of the section that are not done
  std::atomic<int> sleeping_{0};
  std::atomic<bool> ending_{false};
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_THREADS_THREAD_POOL_H_
