#include "delegate/opencl/run/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace mcpruner::opencl {

void ForEach(size_t count, int threads, const std::function<void(size_t)>& work) {
  std::atomic<size_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work_on = [&] {
    try {
      for (size_t k = next++; k < count; k = next++) work(k);
    } catch (...) {
      next = count;
      const std::lock_guard<std::mutex> lock(mutex);
      if (failure == nullptr) failure = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  try {
    const size_t wanted = std::min({static_cast<size_t>(threads), count, size_t{std::thread::hardware_concurrency()}});
    for (size_t t = 1; t < wanted; ++t) others.emplace_back(work_on);
  } catch (const std::exception&) {
    // There are no more threads or memory; the threads that have started will do.
  }
  work_on();
  for (std::thread& thread : others) thread.join();
  if (failure != nullptr) std::rethrow_exception(failure);
}

}  // namespace mcpruner::opencl
