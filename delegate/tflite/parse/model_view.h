// A ModelView reads a TFLite model through its context: tensors, names and constants.
//
// Everything here is read-only and takes any index: an absent tensor is a null pointer, never an out-of-bounds read.
// Constants are tensors that lie in the model file (kTfLiteMmapRo). What nodes expand a constant to counts as a float32
// constant too:
//
//     f16 constant ------------------------------> DEQUANTIZE --> f32 weights --> CONV_2D    TFLiteConverter's float16
//     sparse f32 constant --> DENSIFY --------------------------> f32 weights --> CONV_2D    (sparse_tensor.h)
//     sparse f16 constant --> DENSIFY --> f16 --> DEQUANTIZE ---> f32 weights --> CONV_2D
//     sparse f32 matrix --------------------------------------------------------> FULLY_CONNECTED
//
// Nobody keeps the expanded elements: ReadFloats makes them anew for each reader, who lets go of them when they are
// packed. So no more than one layer of a model stands expanded at a time.

#ifndef MCPRUNER_DELEGATE_TFLITE_PARSE_MODEL_VIEW_H_
#define MCPRUNER_DELEGATE_TFLITE_PARSE_MODEL_VIEW_H_

#include <map>
#include <string>
#include <vector>

#include "delegate/base/span.h"
#include "delegate/base/status.h"
#include "delegate/tflite/abi/tflite_abi.h"
#include "delegate/tflite/parse/layer_cache.h"

namespace mcpruner {

using Dims = std::vector<int>;  // sizes of a TFLite tensor, outermost first; its length is the rank

// Returns sizes as text for messages: "[1, 56, 56, 64]".
std::string DimsText(const Dims& dims);

// The layer of a node whose weights were packed when the model was loaded. Of a grouped convolution, `layer` has the
// channels of a filter, and `grouped` those of the input.
struct PackedAtLoad {
  LayerCache::LayerPtr layer, grouped;
};

struct ModelView {
  TfLiteContext* context = nullptr;
  const TfLiteDelegate* delegate = nullptr;  // ours
  // Maps the output of each node that expands a constant to that constant, and a sparse matrix that FULLY_CONNECTED
  // reads as it is to itself. FindExpanded fills it.
  std::map<int, int> expanded;
  // By the number of the node. PackPruned fills it (predict/pack_pruned.h).
  std::map<int, PackedAtLoad> packed;
};

// A NodeRef is a node and what it is an instance of.
struct NodeRef {
  int index = -1;  // in the model
  const TfLiteNode* node = nullptr;
  const TfLiteRegistration* registration = nullptr;
};
Result<NodeRef> GetNode(TfLiteContext* context, int index);

// Fills view->expanded from the nodes of the execution plan, in which producers come before consumers.
void FindExpanded(const std::vector<NodeRef>& nodes, ModelView* view);
// Returns whether a node belongs to another delegate.
bool IsAnothers(const ModelView& view, const NodeRef& node);
// Returns whether a node does nothing but expand a constant that ReadFloats reads.
bool ExpandsConstant(const ModelView& view, const NodeRef& node);

// Returns null for an index out of range, kTfLiteOptionalTensor among them.
const TfLiteTensor* TensorAt(const TfLiteContext* context, int index);
Dims TensorDims(const TfLiteTensor& tensor);
std::string TensorName(const TfLiteTensor* tensor);

// Return the tensor number of the node's i-th input or output, or kTfLiteOptionalTensor where it has none.
int InputIndex(const NodeRef& node, size_t i);
int OutputIndex(const NodeRef& node, size_t i);
// Returns the name of its first output tensor, since TFLite's nodes have no names of their own.
std::string NodeName(const TfLiteContext* context, const NodeRef& node);
// Returns "CONV_2D", the custom operator's name, or "builtin operator 1234" for one that is newer than this delegate.
std::string OpName(const TfLiteRegistration& registration);
// Returns a text such as "CONV_2D 'block1/relu'".
std::string Describe(const TfLiteContext* context, const NodeRef& node);

bool IsFloatConstant(const ModelView& view, int tensor);
// Returns the sizes of a tensor, or of the constant that it is expanded from: those are the file's whatever a runtime
// has made of the tensor. Empty for an absent one.
Dims ConstantDims(const ModelView& view, int tensor);

// A FloatConstant has the elements of a float32 constant, in place, or in `storage` those of one that the file does not
// align, and those of a float16 or sparse one, expanded.
struct FloatConstant {
  FloatConstant() = default;
  FloatConstant(FloatConstant&&) = default;  // a vector keeps its elements' address when it is moved
  FloatConstant& operator=(FloatConstant&&) = default;

  std::vector<float> storage;
  Span<const float> values;
  Dims dims;
};
// `role` names the tensor in the error: "its filter is no constant, ...".
Result<FloatConstant> ReadFloats(const ModelView& view, int tensor, const std::string& role);
// Reads an int32 or int64 constant. Int64 values are clamped to the range of int.
Result<std::vector<int>> ReadInts(const ModelView& view, int tensor, const std::string& role);
// Returns the metadata of the model that has this name; none where it has no such.
Span<const uint8_t> ReadMetadata(const ModelView& view, const char* name);
// Returns the bytes of a UINT8 constant.
Result<Span<const uint8_t>> ReadBytes(const ModelView& view, int tensor, const std::string& role);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_PARSE_MODEL_VIEW_H_
