// LogLine writes one line to stderr, or to Android's log.

#ifndef MCPRUNER_DELEGATE_TFLITE_REPORT_LOG_H_
#define MCPRUNER_DELEGATE_TFLITE_REPORT_LOG_H_

namespace mcpruner {

// This allocates nothing.
void LogLine(const char* text);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_REPORT_LOG_H_
