#include "delegate/tflite/parse/model_view.h"

#include <algorithm>
#include <climits>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <utility>

#include "delegate/base/half.h"
#include "delegate/tflite/abi/builtin_params.h"
#include "delegate/tflite/abi/int_array.h"
#include "delegate/tflite/parse/sparse_tensor.h"

namespace mcpruner {
namespace {

constexpr const char* kOpNames[] = {
#include "delegate/tflite/abi/builtin_names.inc"
};

bool IsInFile(const TfLiteTensor* tensor, TfLiteType type) {
  return tensor != nullptr && tensor->allocation_type == kTfLiteMmapRo && tensor->type == type &&
         (tensor->data != nullptr || tensor->bytes == 0);
}

bool IsConstant(const TfLiteTensor* tensor, TfLiteType type) {
  return IsInFile(tensor, type) && tensor->sparsity == nullptr;
}

bool IsSparse(const TfLiteTensor* tensor, TfLiteType type) {
  return IsInFile(tensor, type) && tensor->sparsity != nullptr;
}

// Returns the number of elements, or an error where the tensor's bytes do not hold them.
Result<size_t> CheckedElements(const TfLiteTensor& tensor, size_t element_bytes, const std::string& role) {
  uint64_t elements = 1;
  for (const int dim : TensorDims(tensor)) {
    if (dim < 0) return Status::Error(role + " '" + TensorName(&tensor) + "' has a negative dimension");
    elements *= static_cast<uint64_t>(dim);
    if (elements > tensor.bytes) break;  // more elements than bytes: caught below, before the product can overflow
  }
  if (elements > tensor.bytes || elements * element_bytes != tensor.bytes) {
    return Status::Error(role + " '" + TensorName(&tensor) + "' has " + std::to_string(tensor.bytes) +
                         " bytes, not those of its shape " + DimsText(TensorDims(tensor)));
  }
  return static_cast<size_t>(elements);
}

Status NotConstant(const TfLiteTensor* tensor, const std::string& role, const char* wanted) {
  if (tensor == nullptr) return Status::Error(role + " is missing");
  if (tensor->sparsity != nullptr) {
    return Status::Error(role + " '" + TensorName(tensor) +
                         "' is a sparse tensor that TFLite does not read here; convert the model with mcpruner");
  }
  return Status::Error(role + " '" + TensorName(tensor) + "' is not " + wanted + " constant of the file");
}

template <typename T>
Result<std::vector<int>> ReadIntsAs(const TfLiteTensor& tensor, const std::string& role) {
  const Result<size_t> count = CheckedElements(tensor, sizeof(T), role);
  if (!count.ok()) return count.status();
  std::vector<int> values(*count);
  for (size_t i = 0; i < *count; ++i) {
    T value;  // constants are 4-byte aligned only
    std::memcpy(&value, static_cast<const char*>(tensor.data) + i * sizeof(T), sizeof(T));
    values[i] = static_cast<int>(std::clamp<int64_t>(value, INT_MIN, INT_MAX));
  }
  return values;
}

int IndexAt(const TfLiteIntArray* array, size_t i) {
  const Span<const int> view = IntArrayView(array);
  return i < view.size() ? view[i] : kTfLiteOptionalTensor;
}

}  // namespace

std::string DimsText(const Dims& dims) {
  std::string text = "[";
  for (size_t i = 0; i < dims.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(dims[i]);
  return text + "]";
}

Result<NodeRef> GetNode(TfLiteContext* context, int index) {
  TfLiteNode* node = nullptr;
  TfLiteRegistration* registration = nullptr;
  if (context->GetNodeAndRegistration(context, index, &node, &registration) != kTfLiteOk || node == nullptr ||
      registration == nullptr) {
    return Status::Error("the runtime does not know node " + std::to_string(index));
  }
  NodeRef ref;
  ref.index = index;
  ref.node = node;
  ref.registration = registration;
  return ref;
}

// An older runtime undoes all delegates when it is resized and applies them again, but tensors keep the delegate that
// made them, and it refuses to give them to another one.
bool IsAnothers(const ModelView& view, const NodeRef& node) {
  const TfLiteTensor* output = TensorAt(view.context, OutputIndex(node, 0));
  return node.registration->builtin_code == kTfLiteBuiltinDelegate ||
         (output != nullptr && output->delegate != nullptr && output->delegate != view.delegate);
}

bool ExpandsConstant(const ModelView& view, const NodeRef& node) {
  const int input = InputIndex(node, 0);
  const TfLiteTensor* const x = TensorAt(view.context, input);
  const TfLiteTensor* const y = TensorAt(view.context, OutputIndex(node, 0));
  if (x == nullptr || y == nullptr) return false;
  switch (node.registration->builtin_code) {
    case kTfLiteBuiltinDensify:
      return y->type == x->type && (IsSparse(x, kTfLiteFloat32) || IsSparse(x, kTfLiteFloat16));
    case kTfLiteBuiltinDequantize:
      return y->type == kTfLiteFloat32 && x->type == kTfLiteFloat16 &&
             (IsConstant(x, kTfLiteFloat16) || view.expanded.count(input) > 0);
    default:
      return false;
  }
}

void FindExpanded(const std::vector<NodeRef>& nodes, ModelView* view) {
  for (const NodeRef& node : nodes) {
    if (node.registration->builtin_code == kTfLiteBuiltinFullyConnected) {
      const int weights = InputIndex(node, 1);
      const TfLiteTensor* const tensor = TensorAt(view->context, weights);
      if (IsSparse(tensor, kTfLiteFloat32) && IsSparseMatrix(*tensor)) view->expanded[weights] = weights;
    }
    if (!ExpandsConstant(*view, node)) continue;
    const int input = InputIndex(node, 0);
    const auto before = view->expanded.find(input);
    view->expanded[OutputIndex(node, 0)] = before == view->expanded.end() ? input : before->second;
  }
}

const TfLiteTensor* TensorAt(const TfLiteContext* context, int index) {
  if (index < 0 || static_cast<size_t>(index) >= context->tensors_size) return nullptr;
  return context->tensors + index;
}

Dims TensorDims(const TfLiteTensor& tensor) { return IntArrayVector(tensor.dims); }

std::string TensorName(const TfLiteTensor* tensor) {
  return tensor != nullptr && tensor->name != nullptr ? tensor->name : "";
}

int InputIndex(const NodeRef& node, size_t i) { return IndexAt(node.node->inputs, i); }
int OutputIndex(const NodeRef& node, size_t i) { return IndexAt(node.node->outputs, i); }

std::string NodeName(const TfLiteContext* context, const NodeRef& node) {
  return TensorName(TensorAt(context, OutputIndex(node, 0)));
}

std::string OpName(const TfLiteRegistration& registration) {
  if (registration.builtin_code == kTfLiteBuiltinCustom) {
    return registration.custom_name != nullptr ? registration.custom_name : "CUSTOM";
  }
  const auto code = static_cast<size_t>(registration.builtin_code);  // a negative one becomes a large one
  if (code < std::size(kOpNames)) return kOpNames[code];
  return "builtin operator " + std::to_string(registration.builtin_code);
}

std::string Describe(const TfLiteContext* context, const NodeRef& node) {
  return OpName(*node.registration) + " '" + NodeName(context, node) + "'";
}

bool IsFloatConstant(const ModelView& view, int tensor) {
  const TfLiteTensor* const made = TensorAt(view.context, tensor);
  return IsConstant(made, kTfLiteFloat32) ||
         (view.expanded.count(tensor) > 0 && made != nullptr && made->type == kTfLiteFloat32);
}

Dims ConstantDims(const ModelView& view, int tensor) {
  const auto source = view.expanded.find(tensor);
  const TfLiteTensor* const found = TensorAt(view.context, source == view.expanded.end() ? tensor : source->second);
  return found != nullptr ? TensorDims(*found) : Dims();
}

Result<FloatConstant> ReadFloats(const ModelView& view, int tensor, const std::string& role) {
  const auto expanded = view.expanded.find(tensor);
  const TfLiteTensor* const source =
      TensorAt(view.context, expanded == view.expanded.end() ? tensor : expanded->second);
  if (!IsFloatConstant(view, tensor)) return NotConstant(source, role, "a float32");
  FloatConstant constant;
  constant.dims = TensorDims(*source);
  if (source->sparsity != nullptr) {
    Result<std::vector<float>> dense = ExpandSparse(*source);
    if (!dense.ok())
      return Status::Error(role + " '" + TensorName(source) + "' is no sparse tensor: " + dense.message());
    constant.storage = std::move(*dense);
    constant.values = constant.storage;
    return constant;
  }
  const bool is_half = source->type == kTfLiteFloat16;
  const Result<size_t> count = CheckedElements(*source, is_half ? 2 : 4, role);
  if (!count.ok()) return count.status();
  if (!is_half && reinterpret_cast<uintptr_t>(source->data) % alignof(float) == 0) {
    constant.values = Span<const float>(static_cast<const float*>(source->data), *count);
    return constant;
  }
  constant.storage.resize(*count);
  if (!is_half && *count > 0) std::memcpy(constant.storage.data(), source->data, *count * sizeof(float));
  for (size_t i = 0; is_half && i < *count; ++i) {
    uint16_t bits;
    std::memcpy(&bits, static_cast<const char*>(source->data) + 2 * i, 2);
    constant.storage[i] = HalfToFloat(bits);
  }
  constant.values = constant.storage;
  return constant;
}

Result<std::vector<int>> ReadInts(const ModelView& view, int tensor, const std::string& role) {
  const TfLiteTensor* source = TensorAt(view.context, tensor);
  if (IsConstant(source, kTfLiteInt32)) return ReadIntsAs<int32_t>(*source, role);
  if (IsConstant(source, kTfLiteInt64)) return ReadIntsAs<int64_t>(*source, role);
  return NotConstant(source, role, "an int32");
}

Result<Span<const uint8_t>> ReadBytes(const ModelView& view, int tensor, const std::string& role) {
  const TfLiteTensor* source = TensorAt(view.context, tensor);
  if (!IsConstant(source, kTfLiteUInt8)) return NotConstant(source, role, "a uint8");
  const Result<size_t> count = CheckedElements(*source, 1, role);
  if (!count.ok()) return count.status();
  return Span<const uint8_t>(static_cast<const uint8_t*>(source->data), *count);
}

Span<const uint8_t> ReadMetadata(const ModelView& view, const char* name) {
  const char* data = nullptr;
  size_t bytes = 0;
  if (view.context->GetModelMetadata == nullptr ||
      view.context->GetModelMetadata(view.context, name, &data, &bytes) != kTfLiteOk || data == nullptr) {
    return {};
  }
  return {reinterpret_cast<const uint8_t*>(data), bytes};
}

}  // namespace mcpruner
