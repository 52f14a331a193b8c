// This measures which of two executables of one graph is faster on this machine.

#ifndef MCPRUNER_DELEGATE_TFLITE_RUN_FASTER_H_
#define MCPRUNER_DELEGATE_TFLITE_RUN_FASTER_H_

#include "delegate/graph/backend.h"

namespace mcpruner {

// A Race is the least time of an inference of each, in milliseconds. A few inferences take turns, after one that is not
// counted.
struct Race {
  double first_ms = 0, second_ms = 0;
};
Result<Race> RaceExecutables(const Graph& graph, Executable* first, Executable* second);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_RUN_FASTER_H_
