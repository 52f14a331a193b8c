// A backend runs graphs, and this is the interface of every backend. `reference` defines what everything means, in
// plain loops (cpu/reference_backend.h); `cpu` and `opencl` (cpu/cpu_backend.h, opencl/opencl_backend.h) must agree
// with it.
//
//   Backend::Compile(graph) -> Executable      (plans layouts, memory and work; packs weights, cached by layer)
//   Executable::Run(inputs, outputs)           (NHWC float32 at both ends; allocates nothing)

#ifndef MCPRUNER_DELEGATE_GRAPH_BACKEND_H_
#define MCPRUNER_DELEGATE_GRAPH_BACKEND_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "delegate/base/span.h"
#include "delegate/base/status.h"
#include "delegate/graph/graph.h"

namespace mcpruner {

// An OpProfile is one op's share of the work, summed over the runs since profiling was switched on.
struct OpProfile {
  std::string name;    // Op::name
  std::string type;    // OpTypeName, "Pack" and "Unpack" for conversions at the ends
  std::string kernel;  // the micro-kernel that ran, e.g. "conv g4 avx512"
  Shape input, output;
  double density = 1.0;  // of its weights; 1 where it has none
  int64_t macs = 0;      // multiply-adds of one run, zeros that are not computed left out
  int64_t bytes = 0;     // read and written by one run: inputs, output, weights as packed
  int64_t runs = 0;
  int64_t nanoseconds = 0;  // of all runs together
};

// Checks that a call of Run has as many inputs and outputs as the graph; the error says how many there are and should
// be.
Status CheckEnds(const Graph& graph, size_t num_inputs, size_t num_outputs);

class Executable {
 public:
  virtual ~Executable() = default;
  // Runs one inference. inputs[i] and outputs[i] belong to graph.inputs[i] and graph.outputs[i]; each is NHWC and at
  // least 4-byte aligned. A pointer may be null where the tensor has no elements. Two threads must not call this at
  // once.
  virtual Status Run(Span<const float* const> inputs, Span<float* const> outputs) = 0;
  // Begins, or stops, to time each op. Profiling is off at first, and costs nothing while it is off.
  virtual void SetProfiling(bool enabled) = 0;
  virtual std::vector<OpProfile> Profile() const = 0;
  // Overwrites with `value` all memory that an inference has to write before it reads it: tensors between ops, scratch,
  // and what streamed ops keep. Weights and constants stay, and so do the zeros around tensors that a device writes
  // only once. If the results of the next Run depend on `value`, it has read something that the run before left behind.
  virtual Status FillMemory(float value) = 0;
  // Return the bytes of the planned arena (activations) and of the packed weights.
  virtual int64_t ArenaBytes() const = 0;
  virtual int64_t WeightBytes() const = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;
  // `graph` must be validated (ValidateGraph), and may be dropped afterwards. The backend caches packed weights by
  // SparseLayer for as long as the layer lives, so that compiling again after a resize does not pack again.
  virtual Result<std::unique_ptr<Executable>> Compile(const Graph& graph) = 0;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_BACKEND_H_
