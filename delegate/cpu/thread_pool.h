// A pool of threads for many short parallel sections in a row, as the steps of a graph are.
//
//     caller   --Run(task)--[share 0]--wait--   --Run(task)--[share 0][share 1]--
//     worker 1    ..spins.. [share 1] ..spins..              preempted, or still asleep
//
// Each thread claims its own share first, then whatever share nobody has claimed: a section whose worker is late does
// not wait for it. A worker that has finished spins for a moment (the next step comes within microseconds), then
// sleeps, so that other engines' threads find the cores free. Starting a section takes a lock only if some worker
// sleeps. Sections started from two threads at once do not mix: the second caller does all its shares itself.

#ifndef MCPRUNER_DELEGATE_CPU_THREAD_POOL_H_
#define MCPRUNER_DELEGATE_CPU_THREAD_POOL_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace mcpruner {

class ThreadPool {
 public:
  // Starts num_threads - 1 workers, or as many of them as the system grants.
  explicit ThreadPool(int num_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int num_threads() const { return num_threads_; }

  // Calls task(context, share) once for each share 0 .. num_threads - 1, on any threads, and returns when all are
  // done. `task` must not throw and must not call Run.
  using Task = void (*)(void* context, int share);
  void Run(Task task, void* context);

 private:
  void Work(int worker);
  // Does all shares of a section that nobody has claimed, beginning with `first`.
  void DoShares(uint32_t section, int first);
  // Waits for a section after `seen`; false when the pool ends.
  bool AwaitSection(uint32_t seen);

  const int num_threads_;
  std::vector<std::atomic<uint32_t>> claimed_;  // by share: the last section in which it was claimed
  std::vector<std::thread> workers_;
  std::atomic<bool> busy_{false};
  Task task_ = nullptr;  // of the section; written before section_ changes
  void* context_ = nullptr;
  std::atomic<uint32_t> section_{0};  // counts sections
  std::atomic<int> running_{0};       // shares of the section that are not done
  std::atomic<int> sleeping_{0};
  std::atomic<bool> ending_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_THREAD_POOL_H_
