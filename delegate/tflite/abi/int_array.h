// These make a TfLiteIntArray without TFLite: {size, data...} in one malloc block, as the runtime frees them.

#ifndef MCPRUNER_DELEGATE_TFLITE_ABI_INT_ARRAY_H_
#define MCPRUNER_DELEGATE_TFLITE_ABI_INT_ARRAY_H_

#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "delegate/base/span.h"
#include "delegate/tflite/abi/tflite_abi.h"

namespace mcpruner {

struct IntArrayFree {
  void operator()(TfLiteIntArray* array) const { std::free(array); }
};
using IntArrayPtr = std::unique_ptr<TfLiteIntArray, IntArrayFree>;

// Returns null when out of memory.
inline IntArrayPtr MakeIntArray(const std::vector<int>& values) {
  const size_t bytes = offsetof(TfLiteIntArray, data) + sizeof(int) * (values.empty() ? 1 : values.size());
  IntArrayPtr array(static_cast<TfLiteIntArray*>(std::malloc(bytes)));
  if (array == nullptr) return array;
  array->size = static_cast<int>(values.size());
  if (!values.empty()) std::memcpy(array->data, values.data(), sizeof(int) * values.size());
  return array;
}

// Returns a view, which is empty for a null array.
inline Span<const int> IntArrayView(const TfLiteIntArray* array) {
  if (array == nullptr || array->size <= 0) return {};
  return {array->data, static_cast<size_t>(array->size)};
}

inline std::vector<int> IntArrayVector(const TfLiteIntArray* array) {
  const Span<const int> view = IntArrayView(array);
  return std::vector<int>(view.begin(), view.end());
}

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_ABI_INT_ARRAY_H_
