// Backends makes the backends of a delegate when they are first asked for, and decides which of them runs a graph.
//
//     option backend   tried in order, the next one with a reason
//     opencl           opencl, cpu, reference
//     cpu              cpu, reference
//     reference        reference
//     auto             cpu; with cache_dir, where there is a GPU: the faster of opencl and cpu, measured
//
// A GPU's programs take seconds to compile: without a folder to keep them, auto does not even look for one.

#ifndef MCPRUNER_DELEGATE_TFLITE_RUN_BACKENDS_H_
#define MCPRUNER_DELEGATE_TFLITE_RUN_BACKENDS_H_

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "delegate/graph/backend.h"
#include "delegate/tflite/options/options.h"
#include "delegate/tflite/run/backend_factory.h"

namespace mcpruner {

// A Compiled is a graph that is ready to run, and the backend that runs it.
struct Compiled {
  std::shared_ptr<Backend> owner;  // outlives the executable
  std::unique_ptr<Executable> executable;
  BackendChoice backend = BackendChoice::kReference;  // never kAuto
  std::string reason;  // why it is not the backend that was asked for, or why auto chose it; empty: nothing to say
};

// Two threads must not call this at once.
class Backends {
 public:
  Backends(const Options& options, std::unique_ptr<BackendFactory> factory)
      : options_(options), factory_(std::move(factory)) {}

  // The interpreter's runtime recommends a number of threads.
  Result<Compiled> Compile(const Graph& graph, int recommended_num_threads);
  // Compiles on the cpu backend, because the opencl backend failed in an inference. That one is not asked again.
  Result<Compiled> CompileAfterFailure(const Graph& graph, int recommended_num_threads, const std::string& failure);
  // Returns the number of threads of the last compilation.
  int num_threads() const { return num_threads_; }

 private:
  struct Job {
    const Graph& graph;
    const int num_threads;
  };

  Job MakeJob(const Graph& graph, int recommended_num_threads) const;
  Result<std::shared_ptr<Backend>> Cpu(int num_threads);
  Result<std::shared_ptr<Backend>> OpenCl();
  // Returns the backend of a choice other than auto.
  Result<std::shared_ptr<Backend>> Get(BackendChoice choice, int num_threads);
  // Compiles on a backend or on those behind it. `reason` says why not on one before.
  Result<Compiled> CompileFrom(BackendChoice first, std::string reason, const Job& job);
  Result<Compiled> CompileAuto(const Job& job);
  // The error continues the sentence "the ... backend". Memory that only one backend lacks is a reason to try the next.
  Result<Compiled> TryCompile(BackendChoice choice, const Job& job, const std::string& reason);
  // Does what TryCompile does, but lets std::bad_alloc pass.
  Result<Compiled> CompileOn(BackendChoice choice, const Job& job, const std::string& reason);
  // Prints a reason once, since a resize compiles again.
  void Print(const std::string& reason);

  const Options options_;
  const std::unique_ptr<BackendFactory> factory_;
  int num_threads_ = 0;
  std::shared_ptr<Backend> reference_;
  std::shared_ptr<Backend> opencl_;
  std::string opencl_failure_;  // why it is not used; empty while it is, or before it was asked for
  // These are the cpu backends by number of threads. The last one is kept for the next resize, others live as long as a
  // graph runs on them.
  std::map<int, std::weak_ptr<Backend>> cpu_;
  std::shared_ptr<Backend> last_cpu_;
  std::string printed_reason_;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_RUN_BACKENDS_H_
