#include "delegate/tflite/predict/phases.h"

#include <set>

namespace mcpruner {

int PhasesOf(uint64_t pattern, int kernel_height, int kernel_width, int phases) {
  std::set<int> found;
  for (int position = 0; position < kernel_height * kernel_width; ++position) {
    const int row = position / kernel_width, column = position % kernel_width;
    if ((pattern >> position & 1) != 0) found.insert(row % phases * phases + column % phases);
  }
  return static_cast<int>(found.size());
}

}  // namespace mcpruner
