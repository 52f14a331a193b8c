#include "delegate/tflite/parse/model_view.h"

#include <algorithm>
#include <climits>
#include <cstdint>
#include <cstring>
#include <iterator>

#include "delegate/base/half.h"
#include "delegate/tflite/abi/builtin_params.h"
#include "delegate/tflite/abi/int_array.h"

namespace mcpruner {
namespace {

constexpr const char* kOpNames[] = {
#include "delegate/tflite/abi/builtin_names.inc"
};

bool IsConstant(const TfLiteTensor* tensor, TfLiteType type) {
  return tensor != nullptr && tensor->allocation_type == kTfLiteMmapRo && tensor->type == type &&
         tensor->sparsity == nullptr && (tensor->data != nullptr || tensor->bytes == 0);
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
                         "' is in TFLite's own sparse encoding; convert the model with mcpruner");
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

void FindDequantized(const std::vector<NodeRef>& nodes, ModelView* view) {
  for (const NodeRef& node : nodes) {
    if (node.registration->builtin_code != kTfLiteBuiltinDequantize) continue;
    if (IsConstant(TensorAt(view->context, InputIndex(node, 0)), kTfLiteFloat16)) {
      view->dequantized[OutputIndex(node, 0)] = InputIndex(node, 0);
    }
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
  return IsConstant(TensorAt(view.context, tensor), kTfLiteFloat32) || view.dequantized.count(tensor) > 0;
}

Result<FloatConstant> ReadFloats(const ModelView& view, int tensor, const std::string& role) {
  const auto half = view.dequantized.find(tensor);
  const bool is_half = half != view.dequantized.end();
  const TfLiteTensor* source = TensorAt(view.context, is_half ? half->second : tensor);
  if (!IsConstant(source, is_half ? kTfLiteFloat16 : kTfLiteFloat32)) return NotConstant(source, role, "a float32");
  const Result<size_t> count = CheckedElements(*source, is_half ? 2 : 4, role);
  if (!count.ok()) return count.status();
  FloatConstant constant;
  constant.dims = TensorDims(*source);
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

}  // namespace mcpruner
