// One delegate: what its kernels (one for each partition) share, and what is told about them.
//
//     TfLiteDelegate.data_ -> Delegate --- options
//                               |--- LayerCache: weights by content, kept across resizes
//                               |--- backends: reference; opencl; cpu, one for each number of threads
//                               |--- models: one for each context (subgraph) seen, with a row for each node
//                               '--- kernels: alive now
//
// Kernels hold the Delegate by shared_ptr, so that an app may delete the two in any order. One mutex guards all of it:
// an interpreter calls from one thread at a time, but several interpreters may share a delegate.

#ifndef MCPRUNER_DELEGATE_TFLITE_DELEGATE_H_
#define MCPRUNER_DELEGATE_TFLITE_DELEGATE_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "delegate/graph/backend.h"
#include "delegate/tflite/layer_cache.h"
#include "delegate/tflite/model_view.h"
#include "delegate/tflite/options.h"
#include "delegate/tflite/partition.h"
#include "delegate/tflite/report.h"
#include "delegate/tflite/tflite_abi.h"

namespace mcpruner {

class Kernel;

// A graph made ready, and by whom.
struct Compiled {
  std::unique_ptr<Executable> executable;
  std::string backend;
  std::string reason;  // why it is not the backend that was asked for; empty when it is
};

// What is known of one context: a subgraph of a model.
struct ModelState {
  ModelView view;
  std::vector<NodeReport> rows;
  std::string summary;  // as last printed
};

class Delegate : public std::enable_shared_from_this<Delegate> {
 public:
  explicit Delegate(const Options& options) : options_(options) {}

  // TfLiteDelegate::Prepare: partitions the model and asks the runtime for kernels.
  Status Prepare(TfLiteContext* context, TfLiteDelegate* self);
  // On the backend of the options, or on the next of opencl, cpu, reference with the reason printed.
  Result<Compiled> Compile(const Graph& graph, int recommended_num_threads);
  // On the cpu backend, because the opencl backend failed in an inference; it is not asked again.
  Result<Compiled> CompileAfterFailure(const Graph& graph, const std::string& failure);

  void SetProfiling(bool enabled);
  std::string ProfileJson() const;
  std::string ReportJson() const;

  // For kernels, which lock the mutex themselves.
  std::mutex& mutex() const { return mutex_; }
  const Options& options() const { return options_; }
  LayerCache* layers() { return &layers_; }
  bool profiling() const { return profiling_; }
  // Null for a context that Prepare has not seen.
  const ModelState* FindModel(const TfLiteContext* context) const;
  // Position of its context among those seen.
  int SubgraphOf(const TfLiteContext* context) const;
  void AddKernel(Kernel* kernel) { kernels_.push_back(kernel); }
  void RemoveKernel(Kernel* kernel);

 private:
  int NumThreads(int recommended) const;
  Result<Backend*> CpuBackend(int num_threads);
  Result<Backend*> OpenClBackend();
  // The backend of a choice other than auto.
  Result<Backend*> BackendOf(BackendChoice choice);
  // On a backend or on those behind it; `reason`: why not on one before.
  Result<Compiled> CompileFrom(BackendChoice first, std::string reason, const Graph& graph);
  // The error continues the sentence "the ... backend".
  Result<Compiled> TryCompile(BackendChoice choice, const Graph& graph, const std::string& reason);
  Result<Compiled> CompileOn(Backend* backend, const Graph& graph, std::string reason);
  std::vector<PartitionReport> Partitions() const;
  Status Replace(TfLiteContext* context, TfLiteDelegate* self, const std::vector<NodeReport>& rows);
  void PrintSummary(const TfLiteContext* context, ModelState* model, const std::string& previous) const;

  const Options options_;
  mutable std::mutex mutex_;
  LayerCache layers_;
  std::unique_ptr<Backend> reference_;
  std::unique_ptr<Backend> opencl_;
  std::string opencl_failure_;                   // why it is not used; empty while it is, or before it was asked for
  std::map<int, std::unique_ptr<Backend>> cpu_;  // by number of threads
  int num_threads_ = 0;                          // of the last compilation
  std::string printed_reason_;
  std::vector<std::unique_ptr<ModelState>> models_;
  std::vector<Kernel*> kernels_;
  bool profiling_ = false;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_DELEGATE_H_
