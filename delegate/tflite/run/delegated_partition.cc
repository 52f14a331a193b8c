#include "delegate/tflite/run/delegated_partition.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "delegate/graph/passes/fusion.h"
#include "delegate/tflite/abi/guard.h"
#include "delegate/tflite/abi/int_array.h"

namespace mcpruner {
namespace {

// Returns the elements of a tensor, or an error where they are not there.
Result<void*> DataOf(const TfLiteContext* context, int index, const Shape& shape) {
  const TfLiteTensor* tensor = TensorAt(context, index);
  const auto bytes = static_cast<size_t>(shape.size()) * sizeof(float);
  if (tensor == nullptr || tensor->bytes != bytes || (tensor->data == nullptr && bytes > 0)) {
    return Status::Error("tensor '" + TensorName(tensor) + "' has " +
                         std::to_string(tensor != nullptr && tensor->data != nullptr ? tensor->bytes : 0) +
                         " bytes of data, expected " + std::to_string(bytes) + "; call AllocateTensors after a resize");
  }
  return tensor->data;
}

Status ResizeOutput(TfLiteContext* context, int index, const Dims& dims) {
  const TfLiteTensor* const tensor = TensorAt(context, index);
  IntArrayPtr sizes = MakeIntArray(dims);
  if (tensor == nullptr || sizes == nullptr) return Status::Error("out of memory, or an output tensor is missing");
  // ResizeTensor takes the array over, whether it succeeds or not.
  if (context->ResizeTensor(context, context->tensors + index, sizes.release()) == kTfLiteOk) return Status::Ok();
  return Status::Error("the runtime refuses to resize tensor '" + TensorName(tensor) + "' to " + DimsText(dims));
}

}  // namespace

DelegatedPartition::DelegatedPartition(std::shared_ptr<Delegate> delegate, TfLiteContext* context,
                                       const TfLiteDelegateParams& params)
    : delegate_(std::move(delegate)),
      context_(context),
      node_indices_(IntArrayVector(params.nodes_to_replace)),
      outputs_(IntArrayVector(params.output_tensors)) {
  const std::lock_guard<std::mutex> lock(delegate_->mutex());
  parsed_ = Parse(context);
  delegate_->AddPartition(this);
}

DelegatedPartition::~DelegatedPartition() {
  const std::lock_guard<std::mutex> lock(delegate_->mutex());
  delegate_->RemovePartition(this);
}

Status DelegatedPartition::Parse(TfLiteContext* context) {
  const ModelState* model = delegate_->FindModel(context);
  if (model == nullptr) return Status::Error("the runtime made a partition of a model that it never showed");
  for (const int index : node_indices_) {
    const Result<NodeRef> node = GetNode(context, index);
    if (!node.ok()) return node.status();
    if (ExpandsConstant(model->view, *node)) {
      DropOutput(OutputIndex(*node, 0));
      continue;
    }
    Result<std::vector<NodePlan>> plans = ParseNode(model->view, *node, delegate_->layers());
    if (!plans.ok()) {
      return Status::Error("node " + std::to_string(index) + " (" + Describe(context, *node) + "): " + plans.message());
    }
    std::move(plans->begin(), plans->end(), std::back_inserter(plans_));
  }
  return Status::Ok();
}

void DelegatedPartition::DropOutput(int tensor) {
  const auto found = std::find(outputs_.begin(), outputs_.end(), tensor);
  if (found == outputs_.end()) return;
  outputs_.erase(found);
  unread_.push_back(tensor);
}

Status DelegatedPartition::Prepare(TfLiteContext* context) {
  const std::lock_guard<std::mutex> lock(delegate_->mutex());
  MCPRUNER_RETURN_IF_ERROR(parsed_);
  for (const int tensor : unread_) MCPRUNER_RETURN_IF_ERROR(ResizeOutput(context, tensor, {0}));
  if (plans_.empty()) return Status::Ok();
  if (!IsReadyFor(context)) MCPRUNER_RETURN_IF_ERROR(Compile(context));
  return ResizeOutputs(context);
}

bool DelegatedPartition::IsReadyFor(const TfLiteContext* context) const {
  if (ready_ == nullptr) return false;
  for (size_t i = 0; i < ready_->input_dims.size(); ++i) {
    const TfLiteTensor* tensor = TensorAt(context, ready_->built.inputs[i]);
    if (tensor == nullptr || TensorDims(*tensor) != ready_->input_dims[i]) return false;
  }
  return true;
}

Status DelegatedPartition::Compile(TfLiteContext* context) {
  // The old arena goes before a new one comes: a runtime whose AllocateTensors fails cannot run with the old sizes.
  ready_.reset();
  const auto dims_of = [context](int tensor) {
    const TfLiteTensor* t = TensorAt(context, tensor);
    return t != nullptr ? TensorDims(*t) : Dims();
  };
  auto ready = std::make_unique<Ready>();
  Result<BuiltGraph> built = BuildGraph(plans_, outputs_, dims_of);
  if (!built.ok()) return built.status();
  MCPRUNER_RETURN_IF_ERROR(FuseGraph(&built->graph));
  MCPRUNER_RETURN_IF_ERROR(ValidateGraph(built->graph));
  Result<Compiled> compiled = delegate_->backends()->Compile(built->graph, context->recommended_num_threads);
  if (!compiled.ok()) return compiled.status();
  ready->built = std::move(*built);
  ready->compiled = std::move(*compiled);
  ready->compiled.executable->SetProfiling(delegate_->profiling());
  for (const int input : ready->built.inputs) ready->input_dims.push_back(dims_of(input));
  ready->input_data.resize(ready->built.inputs.size());
  ready->output_data.resize(outputs_.size());
  ready_ = std::move(ready);
  return Status::Ok();
}

Status DelegatedPartition::ResizeOutputs(TfLiteContext* context) const {
  for (size_t i = 0; i < outputs_.size(); ++i) {
    MCPRUNER_RETURN_IF_ERROR(ResizeOutput(context, outputs_[i], ready_->built.output_dims[i]));
  }
  return Status::Ok();
}

Status DelegatedPartition::Invoke(TfLiteContext* context) {
  const std::lock_guard<std::mutex> lock(delegate_->mutex());
  if (plans_.empty()) return parsed_;
  if (ready_ == nullptr) return Status::Error("the partition is not prepared; call AllocateTensors");
  const Graph& graph = ready_->built.graph;
  for (size_t i = 0; i < ready_->input_data.size(); ++i) {
    const Result<void*> data = DataOf(context, ready_->built.inputs[i], graph.tensor(graph.inputs[i]).shape);
    if (!data.ok()) return data.status();
    ready_->input_data[i] = static_cast<const float*>(*data);
  }
  for (size_t i = 0; i < ready_->output_data.size(); ++i) {
    const Result<void*> data = DataOf(context, outputs_[i], graph.tensor(graph.outputs[i]).shape);
    if (!data.ok()) return data.status();
    ready_->output_data[i] = static_cast<float*>(*data);
  }
  return RunOrFallBack(context);
}

Status DelegatedPartition::Run() {
  const std::optional<float> poison = delegate_->options().poison_memory;
  if (poison.has_value()) MCPRUNER_RETURN_IF_ERROR(ready_->compiled.executable->FillMemory(*poison));
  return ready_->compiled.executable->Run(ready_->input_data, ready_->output_data);
}

Status DelegatedPartition::RunOrFallBack(const TfLiteContext* context) {
  const bool on_device = ready_->compiled.backend == BackendChoice::kOpenCl;
  const Status status = Run();
  if (status.ok() || !on_device) return status;
  Result<Compiled> compiled = delegate_->backends()->CompileAfterFailure(
      ready_->built.graph, context->recommended_num_threads, status.message());
  if (!compiled.ok()) return compiled.status();
  compiled->executable->SetProfiling(delegate_->profiling());
  ready_->compiled = std::move(*compiled);
  return Run();
}

void DelegatedPartition::SetProfiling(bool enabled) {
  if (ready_ != nullptr) ready_->compiled.executable->SetProfiling(enabled);
}

PartitionReport DelegatedPartition::Report() const {
  PartitionReport report;
  report.nodes = node_indices_;
  if (ready_ == nullptr) return report;
  const Compiled& compiled = ready_->compiled;
  report.backend = BackendName(compiled.backend);
  report.reason = compiled.reason;
  report.arena_bytes = compiled.executable->ArenaBytes();
  report.weight_bytes = compiled.executable->WeightBytes();
  report.profile = compiled.executable->Profile();
  return report;
}

namespace {

TfLiteStatus Report(TfLiteContext* context, const Status& status) {
  if (status.ok()) return kTfLiteOk;
  // Runtimes join messages without a space, so this one ends with a space.
  context->ReportError(context, "mcpruner: %s. ", status.text());
  return kTfLiteError;
}

void* Init(TfLiteContext* context, const char* buffer, size_t /*length*/) {
  const auto* params = reinterpret_cast<const TfLiteDelegateParams*>(buffer);
  if (params == nullptr) return nullptr;  // makes prepare fail, where every runtime takes an error
  auto* delegate = static_cast<Delegate*>(params->delegate->data_);
  DelegatedPartition* partition = nullptr;
  Status status = Guard([&]() -> Status {
    partition = new DelegatedPartition(delegate->shared_from_this(), context, *params);
    return Status::Ok();
  });
  if (!status.ok()) delegate->NoteMissingPartition(context, std::move(status));
  return partition;
}

void Free(TfLiteContext* /*context*/, void* buffer) {
  (void)Guard([&]() -> Status {
    delete static_cast<DelegatedPartition*>(buffer);
    return Status::Ok();
  });
}

TfLiteStatus PrepareKernel(TfLiteContext* context, TfLiteNode* node) {
  return Report(context, Guard([&]() -> Status {
                  auto* partition = static_cast<DelegatedPartition*>(node->user_data);
                  if (partition == nullptr) return Status::Error("the partition could not be made");
                  return partition->Prepare(context);
                }));
}

TfLiteStatus InvokeKernel(TfLiteContext* context, TfLiteNode* node) {
  return Report(context, Guard([&] { return static_cast<DelegatedPartition*>(node->user_data)->Invoke(context); }));
}

}  // namespace

TfLiteRegistration KernelRegistration() {
  TfLiteRegistration registration = {};
  registration.init = Init;
  registration.free = Free;
  registration.prepare = PrepareKernel;
  registration.invoke = InvokeKernel;
  registration.custom_name = "McprunerDelegate";
  registration.version = 1;
  return registration;
}

}  // namespace mcpruner
