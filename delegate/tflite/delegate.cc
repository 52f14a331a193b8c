#include "delegate/tflite/delegate.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "delegate/opencl/opencl_backend.h"
#include "delegate/opencl/self_check.h"
#include "delegate/tflite/delegate_kernel.h"
#include "delegate/tflite/int_array.h"
#include "delegate/tflite/log.h"
#include "delegate/tflite/report.h"

namespace mcpruner {
namespace {

// Largest error of the self-check, of the largest output; nothing passes where a test asks for a wrong device.
double SelfCheckTolerance(const Options& options) {
  if (options.fault == Fault::kOpenClWrong) return -1;
  return options.precision == Precision::kFloat32 ? 1e-4 : 1e-2;
}

}  // namespace

Status Delegate::Prepare(TfLiteContext* context, TfLiteDelegate* self) {
  std::vector<NodeReport> rows;
  std::string previous;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto model = std::make_unique<ModelState>();
    model->view.context = context;
    Result<std::vector<NodeReport>> partitioned = PartitionModel(&model->view, &layers_, options_.backend);
    if (!partitioned.ok()) return partitioned.status();
    rows = model->rows = std::move(*partitioned);
    const int known = SubgraphOf(context);
    if (known < 0) {
      models_.push_back(std::move(model));
    } else {
      previous = models_[static_cast<size_t>(known)]->summary;
      models_[static_cast<size_t>(known)] = std::move(model);
    }
  }
  // Calls the kernels' init, which takes the mutex.
  MCPRUNER_RETURN_IF_ERROR(Replace(context, self, rows));
  const std::lock_guard<std::mutex> lock(mutex_);
  layers_.DropUnused();
  PrintSummary(context, models_[static_cast<size_t>(SubgraphOf(context))].get(), previous);
  return Status::Ok();
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

void Delegate::PrintSummary(const TfLiteContext* context, ModelState* model, const std::string& previous) const {
  const auto taken = std::count_if(model->rows.begin(), model->rows.end(), [](const NodeReport& r) { return r.taken; });
  const auto partitions =
      std::count_if(kernels_.begin(), kernels_.end(), [&](const Kernel* k) { return k->context() == context; });
  model->summary = "takes " + std::to_string(taken) + " of " + std::to_string(model->rows.size()) + " nodes in " +
                   std::to_string(partitions) + (partitions == 1 ? " partition" : " partitions") + ", backend " +
                   BackendName(options_.backend);
  // A runtime may apply the delegate again at each resize; once is enough to read.
  if (options_.verbosity < 1 || model->summary == previous) return;
  LogLine(model->summary);
  std::map<std::string, int> left;  // nodes by reason
  for (const NodeReport& row : model->rows) {
    if (!row.taken && row.has_weights) ++left[row.reason];
  }
  for (const NodeReport& row : model->rows) {
    if (row.taken || (options_.verbosity < 2 && (!row.has_weights || left[row.reason] == 0))) continue;
    const int more = options_.verbosity < 2 ? std::exchange(left[row.reason], 0) - 1 : 0;
    LogLine("leaves node " + std::to_string(row.node) + " (" + row.op + " '" + row.name + "')" +
            (more > 0 ? " and " + std::to_string(more) + " more" : "") + " to TFLite: " + row.reason);
  }
}

int Delegate::NumThreads(int recommended) const {
  if (options_.num_threads > 0) return options_.num_threads;
  return std::clamp(recommended, 1, kMaxThreads);
}

Result<Backend*> Delegate::CpuBackend(int num_threads) {
  if (options_.fault == Fault::kCpuCreate) return Status::Error("fault injection: cpu_create");
  std::unique_ptr<Backend>& backend = cpu_[num_threads];
  if (backend == nullptr) {
    CpuOptions options;
    options.num_threads = num_threads;
    options.simd = options_.simd;
    Result<std::unique_ptr<Backend>> made = CreateCpuBackend(options);
    if (!made.ok()) return made.status();
    backend = std::move(*made);
  }
  return backend.get();
}

Result<Compiled> Delegate::CompileOn(Backend* backend, const Graph& graph, std::string reason) {
  Result<std::unique_ptr<Executable>> executable = backend->Compile(graph);
  if (!executable.ok()) return executable.status();
  Compiled compiled;
  compiled.executable = std::move(*executable);
  compiled.executable->SetProfiling(profiling_);
  compiled.backend = backend->name();
  compiled.reason = std::move(reason);
  return compiled;
}

Result<Backend*> Delegate::OpenClBackend() {
  if (options_.fault == Fault::kOpenClCreate) return Status::Error("fault injection: opencl_create");
  if (!opencl_failure_.empty()) return Status::Error(opencl_failure_);
  if (opencl_ == nullptr) {
    OpenClOptions options;
    options.library = options_.opencl_library;
    options.precision = options_.precision;
    options.cache_dir = options_.cache_dir;
    Result<std::unique_ptr<Backend>> made = CreateOpenClBackend(options);
    const Status status = made.ok() ? opencl::SelfCheck(made->get(), SelfCheckTolerance(options_)) : made.status();
    if (!status.ok()) {
      opencl_failure_ = status.message();  // a resize need not look for devices again
      return status;
    }
    opencl_ = std::move(*made);
  }
  return opencl_.get();
}

Result<Backend*> Delegate::BackendOf(BackendChoice choice) {
  if (choice == BackendChoice::kOpenCl) return OpenClBackend();
  if (choice == BackendChoice::kCpu) return CpuBackend(num_threads_);
  if (reference_ == nullptr) reference_ = CreateReferenceBackend();
  return reference_.get();
}

Result<Compiled> Delegate::TryCompile(BackendChoice choice, const Graph& graph, const std::string& reason) {
  const Result<Backend*> backend = BackendOf(choice);
  if (!backend.ok()) return Status::Error("cannot be made (" + backend.message() + ")");
  const Fault fault = choice == BackendChoice::kOpenCl ? Fault::kOpenClCompile : Fault::kCpuCompile;
  if (choice != BackendChoice::kReference && options_.fault == fault) {
    return Status::Error("refuses it (fault injection: " + std::string(BackendName(choice)) + "_compile)");
  }
  Result<Compiled> compiled = CompileOn(*backend, graph, reason);
  if (!compiled.ok()) return Status::Error("refuses it (" + compiled.message() + ")");
  return compiled;
}

Result<Compiled> Delegate::CompileFrom(BackendChoice first, std::string reason, const Graph& graph) {
  constexpr BackendChoice kOrder[] = {BackendChoice::kOpenCl, BackendChoice::kCpu, BackendChoice::kReference};
  Result<Compiled> compiled = Status::Error("no backend was tried");
  for (const BackendChoice* choice = std::find(std::begin(kOrder), std::end(kOrder), first); choice != std::end(kOrder);
       ++choice) {
    compiled = TryCompile(*choice, graph, reason);
    if (compiled.ok() || choice + 1 == std::end(kOrder)) break;
    reason += (reason.empty() ? "" : "; ") + ("the " + std::string(BackendName(*choice)) + " backend ") +
              compiled.message() + ", the " + BackendName(choice[1]) + " backend runs instead";
  }
  // A resize compiles again; once is enough to read.
  if (options_.verbosity >= 1 && !reason.empty() && reason != printed_reason_) LogLine(reason);
  printed_reason_ = reason;
  return compiled;
}

Result<Compiled> Delegate::Compile(const Graph& graph, int recommended_num_threads) {
  num_threads_ = NumThreads(recommended_num_threads);
  return CompileFrom(options_.backend == BackendChoice::kAuto ? BackendChoice::kCpu : options_.backend, "", graph);
}

Result<Compiled> Delegate::CompileAfterFailure(const Graph& graph, const std::string& failure) {
  opencl_failure_ = "it failed in an inference: " + failure;
  return CompileFrom(BackendChoice::kCpu, "the opencl backend failed (" + failure + "), the cpu backend runs instead",
                     graph);
}

const ModelState* Delegate::FindModel(const TfLiteContext* context) const {
  const int known = SubgraphOf(context);
  return known < 0 ? nullptr : models_[static_cast<size_t>(known)].get();
}

int Delegate::SubgraphOf(const TfLiteContext* context) const {
  for (size_t i = 0; i < models_.size(); ++i) {
    if (models_[i]->view.context == context) return static_cast<int>(i);
  }
  return -1;
}

void Delegate::RemoveKernel(Kernel* kernel) {
  kernels_.erase(std::remove(kernels_.begin(), kernels_.end(), kernel), kernels_.end());
}

void Delegate::SetProfiling(bool enabled) {
  const std::lock_guard<std::mutex> lock(mutex_);
  profiling_ = enabled;
  for (Kernel* kernel : kernels_) kernel->SetProfiling(enabled);
}

std::string Delegate::ProfileJson() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return WriteProfile(Partitions());
}

std::string Delegate::ReportJson() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  DelegateReport report;
  report.backend = BackendName(options_.backend);
  report.num_threads = num_threads_;
  report.partitions = Partitions();
  for (const auto& model : models_) report.subgraphs.push_back(model->rows);
  return WriteReport(report);
}

std::vector<PartitionReport> Delegate::Partitions() const {
  std::vector<PartitionReport> partitions;
  for (const Kernel* kernel : kernels_) {
    PartitionReport report = kernel->Report();
    report.subgraph = SubgraphOf(kernel->context());
    report.partition = static_cast<int>(partitions.size());
    partitions.push_back(std::move(report));
  }
  return partitions;
}

}  // namespace mcpruner
