// A Delegate has what its partitions share, and what is told about them.
//
//     TfLiteDelegate.data_ -> Delegate --- options
//                               |--- LayerCache: weights by content, kept across resizes
//                               |--- Backends: reference, opencl, cpu
//                               |--- models: one for each context (subgraph) known, with a row for each node
//                               '--- partitions: alive now
//
// Many interpreters may use a delegate, one after another, and nothing of it grows with their number. A context whose
// partitions have been freed is forgotten when a new one comes (until then the runtime may apply the delegate to it
// again). Nobody tells when a context without partitions goes, so the newest few of those are kept for the report.
//
// Partitions hold the Delegate by shared_ptr, so that an app may delete the two in any order. One mutex guards all of
// it: an interpreter calls from one thread at a time, but several interpreters may share a delegate.

#ifndef MCPRUNER_DELEGATE_TFLITE_RUN_DELEGATE_H_
#define MCPRUNER_DELEGATE_TFLITE_RUN_DELEGATE_H_

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "delegate/tflite/abi/tflite_abi.h"
#include "delegate/tflite/options/options.h"
#include "delegate/tflite/parse/layer_cache.h"
#include "delegate/tflite/parse/model_view.h"
#include "delegate/tflite/report/report.h"
#include "delegate/tflite/run/backends.h"
#include "delegate/tflite/run/partition.h"

namespace mcpruner {

class DelegatedPartition;

// A ModelState is what is known of one context: a subgraph of a model.
struct ModelState {
  ModelView view;
  SubgraphReport report;
  std::string summary;  // as last printed
  // The number of partitions that the runtime made of it; none until the delegate is applied.
  std::optional<size_t> partitions;
  Status missing_partition = Status::Ok();  // why one of them could not be made
};

class Delegate : public std::enable_shared_from_this<Delegate> {
 public:
  Delegate(const Options& options, std::unique_ptr<BackendFactory> factory)
      : options_(options), backends_(options, std::move(factory)) {}

  // TfLiteDelegate::Prepare: cuts the model into partitions, which it asks the runtime to make. After an error, or an
  // exception, the runtime takes all nodes back: call Forget.
  Status Prepare(TfLiteContext* context, TfLiteDelegate* self);
  void Forget(const TfLiteContext* context);
  void SetProfiling(bool enabled);
  std::string ProfileJson() const;
  std::string ReportJson() const;

  // These are for partitions, which lock the mutex themselves.
  std::mutex& mutex() const { return mutex_; }
  const Options& options() const { return options_; }
  LayerCache* layers() { return &layers_; }
  Backends* backends() { return &backends_; }
  bool profiling() const { return profiling_; }
  // Returns null for a context that Prepare has not seen.
  ModelState* FindModel(const TfLiteContext* context) const;
  // Returns the position of its context among those seen.
  int SubgraphOf(const TfLiteContext* context) const;
  void AddPartition(DelegatedPartition* partition) { partitions_.push_back(partition); }
  void RemovePartition(DelegatedPartition* partition);

  // Notes that a partition could not be made while the delegate is applied: Prepare will return this error.
  void NoteMissingPartition(const TfLiteContext* context, Status status);

 private:
  size_t CountPartitions(const TfLiteContext* context) const;
  // Makes `model` that of its context, and returns the summary of the one before.
  std::string AddModel(std::unique_ptr<ModelState> model);
  void DropModels();
  std::vector<PartitionReport> Partitions() const;
  Status Replace(TfLiteContext* context, TfLiteDelegate* self, const std::vector<NodeReport>& rows);
  void PrintSummary(ModelState* model, const std::string& previous) const;

  const Options options_;
  mutable std::mutex mutex_;
  LayerCache layers_;
  Backends backends_;
  std::vector<std::unique_ptr<ModelState>> models_;
  std::vector<DelegatedPartition*> partitions_;
  bool profiling_ = false;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_RUN_DELEGATE_H_
