#include "delegate/tflite/run/delegate.h"

#include <algorithm>
#include <map>
#include <utility>

#include "delegate/tflite/abi/int_array.h"
#include "delegate/tflite/report/log.h"
#include "delegate/tflite/report/report.h"
#include "delegate/tflite/run/delegated_partition.h"

namespace mcpruner {
namespace {

constexpr size_t kMaxModelsWithoutPartitions = 16;

}  // namespace

Status Delegate::Prepare(TfLiteContext* context, TfLiteDelegate* self) {
  std::vector<NodeReport> rows;
  std::string previous;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto model = std::make_unique<ModelState>();
    model->view.context = context;
    model->view.delegate = self;
    Result<SubgraphReport> partitioned = PartitionModel(options_, &model->view, &layers_);
    if (!partitioned.ok()) return partitioned.status();
    model->report = std::move(*partitioned);
    rows = model->report.nodes;
    previous = AddModel(std::move(model));
  }
  // This calls the partitions' init, which takes the mutex.
  MCPRUNER_RETURN_IF_ERROR(Replace(context, self, rows));
  const std::lock_guard<std::mutex> lock(mutex_);
  ModelState* const model = FindModel(context);
  model->view.packed.clear();  // its partitions hold the layers from now on
  layers_.DropUnused();
  MCPRUNER_RETURN_IF_ERROR(model->missing_partition);
  model->partitions = CountPartitions(context);
  PrintSummary(model, previous);
  return Status::Ok();
}

void Delegate::Forget(const TfLiteContext* context) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const int known = SubgraphOf(context); known >= 0) models_.erase(models_.begin() + known);
}

std::string Delegate::AddModel(std::unique_ptr<ModelState> model) {
  const int known = SubgraphOf(model->view.context);
  if (known >= 0) {
    models_[static_cast<size_t>(known)].swap(model);
    return std::move(model->summary);
  }
  DropModels();
  models_.push_back(std::move(model));
  return "";
}

void Delegate::DropModels() {
  size_t without_partitions = 0;
  // The loop goes from the newest to the oldest.
  for (size_t i = models_.size(); i-- > 0;) {
    const ModelState& model = *models_[i];
    if (!model.partitions.has_value()) continue;
    const bool drop = *model.partitions > 0 ? CountPartitions(model.view.context) == 0
                                            : ++without_partitions >= kMaxModelsWithoutPartitions;
    if (drop) models_.erase(models_.begin() + static_cast<ptrdiff_t>(i));
  }
}

void Delegate::NoteMissingPartition(const TfLiteContext* context, Status status) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (ModelState* const model = FindModel(context); model != nullptr) model->missing_partition = std::move(status);
}

Status Delegate::Replace(TfLiteContext* context, TfLiteDelegate* self, const std::vector<NodeReport>& rows) {
  std::vector<int> taken;
  for (const NodeReport& row : rows) {
    if (row.taken) taken.push_back(row.node);
  }
  if (taken.empty()) return Status::Ok();
  const IntArrayPtr nodes = MakeIntArray(taken);
  if (nodes == nullptr) return Status::Error("out of memory");
  if (context->ReplaceNodeSubsetsWithDelegateKernels(context, KernelRegistration(), nodes.get(), self) != kTfLiteOk) {
    return Status::Error("the runtime did not hand over the nodes that the delegate takes");
  }
  return Status::Ok();
}

void Delegate::PrintSummary(ModelState* model, const std::string& previous) const {
  const std::vector<NodeReport>& rows = model->report.nodes;
  const auto taken = std::count_if(rows.begin(), rows.end(), [](const NodeReport& r) { return r.taken; });
  model->summary = "takes " + std::to_string(taken) + " of " + std::to_string(rows.size()) + " nodes in " +
                   std::to_string(*model->partitions) + (*model->partitions == 1 ? " partition" : " partitions") +
                   ", backend " + BackendName(options_.backend);
  // A runtime may apply the delegate again at each resize; once is enough to read.
  if (options_.verbosity < 1 || model->summary == previous) return;
  LogLine(model->summary.c_str());
  if (const std::string& reason = model->report.tuning.reason; !reason.empty()) LogLine(reason.c_str());
  std::map<std::string, int> left;  // nodes by reason
  for (const NodeReport& row : rows) {
    if (!row.taken && row.has_weights) ++left[row.reason];
  }
  for (const NodeReport& row : rows) {
    if (row.taken || (options_.verbosity < 2 && (!row.has_weights || left[row.reason] == 0))) continue;
    const int more = options_.verbosity < 2 ? std::exchange(left[row.reason], 0) - 1 : 0;
    const std::string line = "leaves node " + std::to_string(row.node) + " (" + row.op + " '" + row.name + "')" +
                             (more > 0 ? " and " + std::to_string(more) + " more" : "") + " to TFLite: " + row.reason;
    LogLine(line.c_str());
  }
}

ModelState* Delegate::FindModel(const TfLiteContext* context) const {
  const int known = SubgraphOf(context);
  return known < 0 ? nullptr : models_[static_cast<size_t>(known)].get();
}

int Delegate::SubgraphOf(const TfLiteContext* context) const {
  for (size_t i = 0; i < models_.size(); ++i) {
    if (models_[i]->view.context == context) return static_cast<int>(i);
  }
  return -1;
}

size_t Delegate::CountPartitions(const TfLiteContext* context) const {
  return static_cast<size_t>(
      std::count_if(partitions_.begin(), partitions_.end(),
                    [=](const DelegatedPartition* partition) { return partition->context() == context; }));
}

void Delegate::RemovePartition(DelegatedPartition* partition) {
  partitions_.erase(std::remove(partitions_.begin(), partitions_.end(), partition), partitions_.end());
}

void Delegate::SetProfiling(bool enabled) {
  const std::lock_guard<std::mutex> lock(mutex_);
  profiling_ = enabled;
  for (DelegatedPartition* partition : partitions_) partition->SetProfiling(enabled);
}

std::string Delegate::ProfileJson() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return WriteProfile(Partitions());
}

std::string Delegate::ReportJson() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  DelegateReport report;
  report.backend = BackendName(options_.backend);
  report.costs = options_.costs.name;
  report.num_threads = backends_.num_threads();
  report.partitions = Partitions();
  for (const auto& model : models_) report.subgraphs.push_back(model->report);
  return WriteReport(report);
}

std::vector<PartitionReport> Delegate::Partitions() const {
  std::vector<PartitionReport> partitions;
  for (const DelegatedPartition* partition : partitions_) {
    PartitionReport report = partition->Report();
    report.subgraph = SubgraphOf(partition->context());
    report.partition = static_cast<int>(partitions.size());
    partitions.push_back(std::move(report));
  }
  return partitions;
}

}  // namespace mcpruner
