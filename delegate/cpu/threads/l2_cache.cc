#include "delegate/cpu/threads/l2_cache.h"

#include <unistd.h>

#include <fstream>

namespace mcpruner {
namespace {

constexpr int64_t kCommonBytes = 512 * 1024;
// This file holds a text like "1024K". It is read where the C library knows nothing, as on many ARM systems.
constexpr char kSizeFile[] = "/sys/devices/system/cpu/cpu0/cache/index2/size";

}  // namespace

int64_t L2CacheBytes() {
#ifdef _SC_LEVEL2_CACHE_SIZE
  const int64_t bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
  if (bytes > 0) return bytes;
#endif
  int64_t kilobytes = 0;
  std::ifstream file(kSizeFile);
  return file >> kilobytes && kilobytes > 0 ? kilobytes * 1024 : kCommonBytes;
}

}  // namespace mcpruner
