#include "delegate/tflite/testing/fake_model.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <iterator>
#include <utility>

#include "delegate/tflite/testing/whose_call.h"

namespace mcpruner {
namespace {

size_t ElementBytes(TfLiteType type) {
  switch (type) {
    case kTfLiteUInt8:
      return 1;
    case kTfLiteFloat16:
      return 2;
    case kTfLiteInt64:
      return 8;
    default:
      return 4;
  }
}

size_t BytesOf(const Dims& dims, TfLiteType type) {
  size_t bytes = ElementBytes(type);
  for (const int d : dims) bytes *= static_cast<size_t>(d);
  return bytes;
}

bool Contains(const std::vector<int>& values, int value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

}  // namespace

FakeModel::FakeModel() {
  context_.impl_ = this;
  context_.recommended_num_threads = 1;
  context_.GetExecutionPlan = GetExecutionPlan;
  context_.GetNodeAndRegistration = GetNodeAndRegistration;
  context_.ReplaceNodeSubsetsWithDelegateKernels = Replace;
  context_.PreviewDelegatePartitioning = Preview;
  context_.ResizeTensor = ResizeTensor;
  context_.GetModelMetadata = GetModelMetadata;
  context_.ReportError = ReportError;
}

FakeModel::~FakeModel() { FreeKernels(); }

void FakeModel::FreeKernels() {
  for (FakeKernel& kernel : kernels_) {
    CallDelegate([&] { kernel.registration.free(&context_, kernel.node.user_data); });
  }
  kernels_.clear();
}

int FakeModel::Tensor(const std::string& name, const Dims& dims, TfLiteType type) {
  names_.push_back(name);
  dims_.push_back(MakeIntArray(dims));
  storage_.emplace_back();
  TfLiteTensor tensor = {};
  tensor.type = type;
  tensor.name = names_.back().c_str();
  tensor.dims = dims_.back().get();
  tensor.allocation_type = kTfLiteArenaRw;
  tensor.bytes = BytesOf(dims, type);
  tensors_.push_back(tensor);
  context_.tensors = tensors_.data();
  context_.tensors_size = tensors_.size();
  return static_cast<int>(tensors_.size()) - 1;
}

int FakeModel::Constant(const std::string& name, const Dims& dims, const void* data, size_t bytes, TfLiteType type) {
  const int index = Tensor(name, dims, type);
  const auto* begin = static_cast<const char*>(data);
  storage_.back().assign(begin, begin + bytes);
  At(index).data = storage_.back().data();
  At(index).bytes = bytes;
  At(index).allocation_type = kTfLiteMmapRo;
  return index;
}

int FakeModel::Constant(const std::string& name, const Dims& dims, const std::vector<float>& values) {
  return Constant(name, dims, values.data(), values.size() * sizeof(float), kTfLiteFloat32);
}

int FakeModel::Ints(const std::string& name, const Dims& dims, const std::vector<int32_t>& values) {
  return Constant(name, dims, values.data(), values.size() * sizeof(int32_t), kTfLiteInt32);
}

FakeModel::FakeNode& FakeModel::AddNode(int32_t code, const std::vector<int>& inputs, const std::vector<int>& outputs) {
  FakeNode& node = nodes_.emplace_back();
  node.inputs = MakeIntArray(inputs);
  node.outputs = MakeIntArray(outputs);
  node.node.inputs = node.inputs.get();
  node.node.outputs = node.outputs.get();
  node.registration.builtin_code = code;
  node.registration.version = 1;
  return node;
}

int FakeModel::Node(int32_t code, const std::vector<int>& inputs, const std::vector<int>& outputs, void* params) {
  AddNode(code, inputs, outputs).node.builtin_data = params;
  return static_cast<int>(nodes_.size()) - 1;
}

int FakeModel::CustomNode(const std::string& name, const std::vector<int>& inputs, const std::vector<int>& outputs,
                          const std::vector<uint8_t>& options) {
  FakeNode& node = AddNode(kTfLiteBuiltinCustom, inputs, outputs);
  node.custom_name = name;
  node.options = options;
  node.registration.custom_name = node.custom_name.c_str();
  node.node.custom_initial_data = node.options.data();
  node.node.custom_initial_data_size = static_cast<int>(options.size());
  return static_cast<int>(nodes_.size()) - 1;
}

NodeRef FakeModel::Ref(int node) { return *GetNode(&context_, node); }

TfLiteStatus FakeModel::GetExecutionPlan(TfLiteContext* context, TfLiteIntArray** plan) {
  const WhoseCall mark(false);
  FakeModel* self = Self(context);
  std::vector<int> indices;
  for (size_t i = 0; i < self->nodes_.size(); ++i) indices.push_back(static_cast<int>(i));
  self->plan_ = MakeIntArray(indices);
  *plan = self->plan_.get();
  return kTfLiteOk;
}

TfLiteStatus FakeModel::GetNodeAndRegistration(TfLiteContext* context, int index, TfLiteNode** node,
                                               TfLiteRegistration** registration) {
  const WhoseCall mark(false);
  FakeModel* self = Self(context);
  if (index < 0 || static_cast<size_t>(index) >= self->nodes_.size()) return kTfLiteError;
  FakeNode& found = *std::next(self->nodes_.begin(), index);
  *node = &found.node;
  *registration = &found.registration;
  return kTfLiteOk;
}

std::vector<std::vector<int>> FakeModel::Runs(const TfLiteIntArray* nodes) const {
  std::vector<std::vector<int>> runs;
  for (const int node : IntArrayView(nodes)) {
    if (runs.empty() || runs.back().back() != node - 1) runs.emplace_back();
    runs.back().push_back(node);
  }
  return runs;
}

FakeModel::FakeKernel FakeModel::MakeKernel(const std::vector<int>& nodes) const {
  std::vector<int> produced, consumed_inside, consumed_outside, inputs, outputs;
  int index = 0;
  for (const FakeNode& node : nodes_) {
    const bool inside = Contains(nodes, index++);
    for (const int i : IntArrayView(node.inputs.get())) (inside ? consumed_inside : consumed_outside).push_back(i);
    if (!inside) continue;
    for (const int o : IntArrayView(node.outputs.get())) produced.push_back(o);
  }
  for (const int i : consumed_inside) {
    const bool comes_from_outside = i != kTfLiteOptionalTensor && !Contains(produced, i);
    if (comes_from_outside && !Contains(inputs, i)) inputs.push_back(i);
  }
  for (const int o : produced) {
    if (Contains(outputs_, o) || Contains(consumed_outside, o)) outputs.push_back(o);
  }
  FakeKernel kernel;
  kernel.nodes = MakeIntArray(nodes);
  kernel.inputs = MakeIntArray(inputs);
  kernel.outputs = MakeIntArray(outputs);
  return kernel;
}

TfLiteStatus FakeModel::Preview(TfLiteContext* context, const TfLiteIntArray* nodes, TfLiteDelegateParams** partitions,
                                int* count) {
  const WhoseCall mark(false);
  FakeModel* self = Self(context);
  self->previews_.clear();
  self->preview_params_.clear();
  for (const std::vector<int>& run : self->Runs(nodes)) {
    const FakeKernel& kernel = self->previews_.emplace_back(self->MakeKernel(run));
    self->preview_params_.push_back({nullptr, kernel.nodes.get(), kernel.inputs.get(), kernel.outputs.get()});
  }
  *partitions = self->preview_params_.data();
  *count = static_cast<int>(self->preview_params_.size());
  return kTfLiteOk;
}

TfLiteStatus FakeModel::Replace(TfLiteContext* context, TfLiteRegistration registration, const TfLiteIntArray* nodes,
                                TfLiteDelegate* delegate) {
  const WhoseCall mark(false);
  FakeModel* self = Self(context);
  for (const std::vector<int>& run : self->Runs(nodes)) {
    FakeKernel& kernel = self->kernels_.emplace_back(self->MakeKernel(run));
    kernel.registration = registration;
    const TfLiteDelegateParams params = {delegate, kernel.nodes.get(), kernel.inputs.get(), kernel.outputs.get()};
    kernel.node.inputs = kernel.inputs.get();
    kernel.node.outputs = kernel.outputs.get();
    kernel.node.user_data =
        CallDelegate([&] { return registration.init(context, reinterpret_cast<const char*>(&params), 0); });
  }
  return kTfLiteOk;
}

TfLiteStatus FakeModel::ResizeTensor(TfLiteContext* context, TfLiteTensor* tensor, TfLiteIntArray* dims) {
  const WhoseCall mark(false);
  IntArrayPtr owned(dims);
  Self(context)->Resize(static_cast<int>(tensor - context->tensors), IntArrayVector(dims));
  return kTfLiteOk;
}

TfLiteStatus FakeModel::GetModelMetadata(const TfLiteContext* context, const char* name, const char** data,
                                         size_t* bytes) {
  const WhoseCall mark(false);
  const auto& metadata = static_cast<const FakeModel*>(context->impl_)->metadata_;
  const auto found = metadata.find(name);
  if (found == metadata.end()) return kTfLiteError;
  *data = reinterpret_cast<const char*>(found->second.data());
  *bytes = found->second.size();
  return kTfLiteOk;
}

void FakeModel::ReportError(TfLiteContext* context, const char* format, ...) {
  const WhoseCall mark(false);
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  Self(context)->errors_ += text;
}

TfLiteStatus FakeModel::Apply(TfLiteDelegate* delegate) {
  const TfLiteStatus status = CallDelegate([&] { return delegate->Prepare(&context_, delegate); });
  if (status != kTfLiteOk) FreeKernels();
  return status;
}

TfLiteStatus FakeModel::Reapply(TfLiteDelegate* delegate) {
  FreeKernels();
  return Apply(delegate);
}

void FakeModel::Resize(int tensor, const Dims& dims) {
  const size_t i = static_cast<size_t>(tensor);
  dims_[i] = MakeIntArray(dims);
  tensors_[i].dims = dims_[i].get();
  tensors_[i].bytes = BytesOf(dims, tensors_[i].type);
}

TfLiteStatus FakeModel::Allocate() {
  std::vector<int> edges;  // tensors that have memory: what kernels read and write, not what lies inside
  for (FakeKernel& kernel : kernels_) {
    const TfLiteStatus status = CallDelegate([&] { return kernel.registration.prepare(&context_, &kernel.node); });
    if (status != kTfLiteOk) return status;
    for (const int i : IntArrayView(kernel.inputs.get())) edges.push_back(i);
    for (const int i : IntArrayView(kernel.outputs.get())) edges.push_back(i);
  }
  for (const int i : edges) {
    if (At(i).allocation_type == kTfLiteMmapRo) continue;
    storage_[static_cast<size_t>(i)].assign(At(i).bytes, 0);
    At(i).data = storage_[static_cast<size_t>(i)].data();
  }
  return kTfLiteOk;
}

TfLiteStatus FakeModel::Invoke() {
  for (FakeKernel& kernel : kernels_) {
    const TfLiteStatus status = CallDelegate([&] { return kernel.registration.invoke(&context_, &kernel.node); });
    if (status != kTfLiteOk) return status;
  }
  return kTfLiteOk;
}

}  // namespace mcpruner
