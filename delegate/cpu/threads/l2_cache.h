// How large this machine's L2 cache is: what streaming (stream_plan.h) fits its bands to.

#ifndef MCPRUNER_DELEGATE_CPU_THREADS_L2_CACHE_H_
#define MCPRUNER_DELEGATE_CPU_THREADS_L2_CACHE_H_

#include <cstdint>

namespace mcpruner {

// Bytes of one core's L2 cache as the system tells it; 512 KB, a common size, where it does not.
int64_t L2CacheBytes();

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_THREADS_L2_CACHE_H_
