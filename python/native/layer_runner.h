// RunLayer runs one packed layer through one backend, without TFLite. The kernel tests of tests/ call it.

#ifndef MCPRUNER_PYTHON_NATIVE_LAYER_RUNNER_H_
#define MCPRUNER_PYTHON_NATIVE_LAYER_RUNNER_H_

#include <string>
#include <vector>

#include "delegate/base/span.h"
#include "delegate/base/status.h"
#include "delegate/graph/backend.h"

namespace mcpruner {

struct LayerRun {
  std::string backend;  // "cpu", "opencl" or "reference"
  std::string simd;     // of the cpu backend; empty for the best
  int num_threads = 1;
};

struct LayerOutput {
  std::vector<int> dims;
  std::vector<float> values;
};

// `blob` and `options` are those of one of the project's own operators; `x` has the elements of `dims`.
Result<LayerOutput> RunLayer(Span<const uint8_t> blob, Span<const uint8_t> options, const std::vector<int>& dims,
                             const float* x, const LayerRun& how);

}  // namespace mcpruner

#endif  // MCPRUNER_PYTHON_NATIVE_LAYER_RUNNER_H_
