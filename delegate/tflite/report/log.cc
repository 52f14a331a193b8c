#include "delegate/tflite/report/log.h"

#ifdef __ANDROID__
#include <android/log.h>
#else
#include <cstdio>
#endif

namespace mcpruner {

void LogLine(const char* text) {
#ifdef __ANDROID__
  __android_log_write(ANDROID_LOG_INFO, "mcpruner", text);
#else
  std::fprintf(stderr, "mcpruner: %s\n", text);
#endif
}

}  // namespace mcpruner
