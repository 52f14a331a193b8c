// One line to stderr, or to Android's log.

#ifndef MCPRUNER_DELEGATE_TFLITE_LOG_H_
#define MCPRUNER_DELEGATE_TFLITE_LOG_H_

#include <string>

namespace mcpruner {

void LogLine(const std::string& text);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_LOG_H_
