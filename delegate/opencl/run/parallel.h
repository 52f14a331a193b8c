// ForEach runs several builds at once, since drivers take from milliseconds to a second for a program.

#ifndef MCPRUNER_DELEGATE_OPENCL_RUN_PARALLEL_H_
#define MCPRUNER_DELEGATE_OPENCL_RUN_PARALLEL_H_

#include <cstddef>
#include <functional>

namespace mcpruner::opencl {

// Calls work(0) .. work(count - 1), on at most `threads` threads and no more than the machine has. If a call throws,
// calls that have not begun are left out, and the first such exception is thrown here.
void ForEach(size_t count, int threads, const std::function<void(size_t)>& work);

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_RUN_PARALLEL_H_
