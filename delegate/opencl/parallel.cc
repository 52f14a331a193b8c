#include "delegate/opencl/parallel.h"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

namespace mcpruner::opencl {

void ForEach(size_t count, int threads, const std::function<void(size_t)>& work) {
  std::atomic<size_t> next{0};
  const auto work_on = [&] {
    for (size_t k = next++; k < count; k = next++) work(k);
  };
  std::vector<std::thread> others;
  try {
    const size_t wanted = std::min({static_cast<size_t>(threads), count, size_t{std::thread::hardware_concurrency()}});
    for (size_t t = 1; t < wanted; ++t) others.emplace_back(work_on);
  } catch (const std::system_error&) {  // no more threads: those that there are will do
  }
  work_on();
  for (std::thread& thread : others) thread.join();
}

}  // namespace mcpruner::opencl
