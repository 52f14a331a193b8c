#include "delegate/tflite/delegate_kernel.h"

#include <exception>
#include <new>
#include <optional>
#include <stdexcept>
#include <utility>

#include "delegate/graph/fusion.h"
#include "delegate/tflite/guard.h"
#include "delegate/tflite/int_array.h"

namespace mcpruner {
namespace {

// The elements of a tensor, or an error where they are not there.
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

}  // namespace

Kernel::Kernel(std::shared_ptr<Delegate> delegate, TfLiteContext* context, const TfLiteDelegateParams& params)
    : delegate_(std::move(delegate)),
      context_(context),
      node_indices_(IntArrayVector(params.nodes_to_replace)),
      outputs_(IntArrayVector(params.output_tensors)) {
  const std::lock_guard<std::mutex> lock(delegate_->mutex());
  parsed_ = Parse(context);
  delegate_->AddKernel(this);
}

Kernel::~Kernel() {
  const std::lock_guard<std::mutex> lock(delegate_->mutex());
  delegate_->RemoveKernel(this);
}

Status Kernel::Parse(TfLiteContext* context) {
  const ModelState* model = delegate_->FindModel(context);
  if (model == nullptr) return Status::Error("the runtime made a partition of a model that it never showed");
  for (const int index : node_indices_) {
    const Result<NodeRef> node = GetNode(context, index);
    if (!node.ok()) return node.status();
    Result<NodePlan> plan = ParseNode(model->view, *node, delegate_->layers());
    if (!plan.ok()) {
      return Status::Error("node " + std::to_string(index) + " (" + Describe(context, *node) + "): " + plan.message());
    }
    plans_.push_back(std::move(*plan));
  }
  return Status::Ok();
}

Status Kernel::Prepare(TfLiteContext* context) {
  const std::lock_guard<std::mutex> lock(delegate_->mutex());
  MCPRUNER_RETURN_IF_ERROR(parsed_);
  if (delegate_->options().fault == Fault::kAllocate) throw std::bad_alloc();
  bool same = compiled_.executable != nullptr;
  for (size_t i = 0; same && i < built_.inputs.size(); ++i) {
    const TfLiteTensor* tensor = TensorAt(context, built_.inputs[i]);
    same = tensor != nullptr && TensorDims(*tensor) == input_dims_[i];
  }
  if (!same) MCPRUNER_RETURN_IF_ERROR(Compile(context));
  return ResizeOutputs(context);
}

Status Kernel::Compile(TfLiteContext* context) {
  compiled_ = Compiled();
  const auto dims_of = [context](int tensor) {
    const TfLiteTensor* t = TensorAt(context, tensor);
    return t != nullptr ? TensorDims(*t) : Dims();
  };
  Result<BuiltGraph> built = BuildGraph(plans_, outputs_, dims_of);
  if (!built.ok()) return built.status();
  MCPRUNER_RETURN_IF_ERROR(FuseGraph(&built->graph));
  MCPRUNER_RETURN_IF_ERROR(ValidateGraph(built->graph));
  Result<Compiled> compiled = delegate_->backends()->Compile(built->graph, context->recommended_num_threads);
  if (!compiled.ok()) return compiled.status();
  built_ = std::move(*built);
  Take(std::move(*compiled));
  input_dims_.clear();
  for (const int input : built_.inputs) input_dims_.push_back(dims_of(input));
  input_data_.assign(built_.inputs.size(), nullptr);
  output_data_.assign(outputs_.size(), nullptr);
  return Status::Ok();
}

void Kernel::Take(Compiled compiled) {
  compiled_ = std::move(compiled);
  compiled_.executable->SetProfiling(delegate_->profiling());
}

Status Kernel::ResizeOutputs(TfLiteContext* context) const {
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const TfLiteTensor* tensor = TensorAt(context, outputs_[i]);
    IntArrayPtr dims = MakeIntArray(built_.output_dims[i]);
    if (tensor == nullptr || dims == nullptr) return Status::Error("out of memory, or an output tensor is missing");
    // ResizeTensor takes the array over, whether it succeeds or not.
    if (context->ResizeTensor(context, context->tensors + outputs_[i], dims.release()) != kTfLiteOk) {
      return Status::Error("the runtime refuses to resize tensor '" + TensorName(tensor) + "' to " +
                           DimsText(built_.output_dims[i]));
    }
  }
  return Status::Ok();
}

Status Kernel::Invoke(TfLiteContext* context) {
  const std::lock_guard<std::mutex> lock(delegate_->mutex());
  if (compiled_.executable == nullptr) return Status::Error("the partition is not prepared; call AllocateTensors");
  if (delegate_->options().fault == Fault::kInvoke) throw std::runtime_error("fault injection: invoke");
  const Graph& graph = built_.graph;
  for (size_t i = 0; i < input_data_.size(); ++i) {
    const Result<void*> data = DataOf(context, built_.inputs[i], graph.tensor(graph.inputs[i]).shape);
    if (!data.ok()) return data.status();
    input_data_[i] = static_cast<const float*>(*data);
  }
  for (size_t i = 0; i < output_data_.size(); ++i) {
    const Result<void*> data = DataOf(context, outputs_[i], graph.tensor(graph.outputs[i]).shape);
    if (!data.ok()) return data.status();
    output_data_[i] = static_cast<float*>(*data);
  }
  return RunOrFallBack();
}

Status Kernel::Run() {
  const std::optional<float> poison = delegate_->options().poison_memory;
  if (poison.has_value()) MCPRUNER_RETURN_IF_ERROR(compiled_.executable->FillMemory(*poison));
  return compiled_.executable->Run(input_data_, output_data_);
}

Status Kernel::RunOrFallBack() {
  const bool on_device = compiled_.backend == BackendName(BackendChoice::kOpenCl);
  const bool fault = on_device && delegate_->options().fault == Fault::kOpenClRun;
  const Status status = fault ? Status::Error("fault injection: opencl_run") : Run();
  if (status.ok() || !on_device) return status;
  Result<Compiled> compiled = delegate_->backends()->CompileAfterFailure(built_.graph, status.message());
  if (!compiled.ok()) return compiled.status();
  Take(std::move(*compiled));
  return Run();
}

void Kernel::SetProfiling(bool enabled) {
  if (compiled_.executable != nullptr) compiled_.executable->SetProfiling(enabled);
}

PartitionReport Kernel::Report() const {
  PartitionReport report;
  report.nodes = node_indices_;
  report.backend = compiled_.backend;
  report.reason = compiled_.reason;
  if (compiled_.executable != nullptr) {
    report.arena_bytes = compiled_.executable->ArenaBytes();
    report.weight_bytes = compiled_.executable->WeightBytes();
    report.profile = compiled_.executable->Profile();
  }
  return report;
}

namespace {

TfLiteStatus Report(TfLiteContext* context, const Status& status) {
  if (status.ok()) return kTfLiteOk;
  // Runtimes join messages without a space: end with one.
  context->ReportError(context, "mcpruner: %s. ", status.message().c_str());
  return kTfLiteError;
}

void* Init(TfLiteContext* context, const char* buffer, size_t /*length*/) {
  void* kernel = nullptr;
  const Status status = Guard([&]() -> Status {
    const auto* params = reinterpret_cast<const TfLiteDelegateParams*>(buffer);
    if (params == nullptr) return Status::Error("the runtime gave no partition");
    auto* delegate = static_cast<Delegate*>(params->delegate->data_);
    kernel = new Kernel(delegate->shared_from_this(), context, *params);
    return Status::Ok();
  });
  // Null makes prepare fail, where every runtime takes an error.
  (void)Report(context, status);
  return kernel;
}

void Free(TfLiteContext* /*context*/, void* buffer) {
  (void)Guard([&]() -> Status {
    delete static_cast<Kernel*>(buffer);
    return Status::Ok();
  });
}

TfLiteStatus PrepareKernel(TfLiteContext* context, TfLiteNode* node) {
  return Report(context, Guard([&]() -> Status {
                  auto* kernel = static_cast<Kernel*>(node->user_data);
                  if (kernel == nullptr) return Status::Error("the partition could not be made");
                  return kernel->Prepare(context);
                }));
}

TfLiteStatus InvokeKernel(TfLiteContext* context, TfLiteNode* node) {
  return Report(context, Guard([&]() -> Status { return static_cast<Kernel*>(node->user_data)->Invoke(context); }));
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
