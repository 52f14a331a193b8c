// This finds out how large this machine's L2 cache is. Streaming (stream_plan.h) makes its bands fit that size.

#ifndef MCPRUNER_DELEGATE_CPU_THREADS_L2_CACHE_H_
#define MCPRUNER_DELEGATE_CPU_THREADS_L2_CACHE_H_

#include <cstdint>

namespace mcpruner {

// Returns the bytes of one core's L2 cache as the system tells them, or 512 KB, a common size, where it does not.
int64_t L2CacheBytes();

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_THREADS_L2_CACHE_H_
