#include "delegate/tflite/parse/partition_key.h"

#include <algorithm>
#include <cinttypes>
#include <cstddef>
#include <cstdio>
#include <iterator>
#include <map>
#include <set>

#include "delegate/tflite/abi/builtin_params.h"
#include "delegate/tflite/abi/int_array.h"
#include "delegate/tflite/parse/hasher.h"

namespace mcpruner {
namespace {

// How many bytes of an operator's parameters decide what it computes, padding left out. Those of operators that are not
// here (RESHAPE, SQUEEZE, SPLIT) say nothing that the sizes of their outputs do not say.
struct Parameters {
  TfLiteBuiltinOperator code;
  size_t bytes;
};
constexpr Parameters kParameters[] = {
    {kTfLiteBuiltinAdd, sizeof(TfLiteBinaryParams)},
    {kTfLiteBuiltinAveragePool2d, sizeof(TfLitePoolParams)},
    {kTfLiteBuiltinConcatenation, sizeof(TfLiteConcatenationParams)},
    {kTfLiteBuiltinConv2d, sizeof(TfLiteConvParams)},
    {kTfLiteBuiltinDepthToSpace, sizeof(TfLiteBlockParams)},
    {kTfLiteBuiltinDepthwiseConv2d, sizeof(TfLiteDepthwiseConvParams)},
    {kTfLiteBuiltinDiv, sizeof(TfLiteBinaryParams)},
    {kTfLiteBuiltinFullyConnected, offsetof(TfLiteFullyConnectedParams, keep_num_dims) + sizeof(bool)},
    {kTfLiteBuiltinGather, sizeof(TfLiteGatherParams)},
    {kTfLiteBuiltinGelu, sizeof(TfLiteGeluParams)},
    {kTfLiteBuiltinL2Normalization, sizeof(TfLiteL2NormParams)},
    {kTfLiteBuiltinLeakyRelu, sizeof(TfLiteLeakyReluParams)},
    {kTfLiteBuiltinMaxPool2d, sizeof(TfLitePoolParams)},
    {kTfLiteBuiltinMean, sizeof(TfLiteReducerParams)},
    {kTfLiteBuiltinMirrorPad, sizeof(TfLiteMirrorPadParams)},
    {kTfLiteBuiltinMul, sizeof(TfLiteBinaryParams)},
    {kTfLiteBuiltinPack, sizeof(TfLitePackParams)},
    {kTfLiteBuiltinReduceMax, sizeof(TfLiteReducerParams)},
    {kTfLiteBuiltinReduceMin, sizeof(TfLiteReducerParams)},
    {kTfLiteBuiltinResizeBilinear, sizeof(TfLiteResizeParams)},
    {kTfLiteBuiltinResizeNearestNeighbor, sizeof(TfLiteResizeParams)},
    {kTfLiteBuiltinSoftmax, sizeof(TfLiteSoftmaxParams)},
    {kTfLiteBuiltinSpaceToDepth, sizeof(TfLiteBlockParams)},
    {kTfLiteBuiltinStridedSlice, sizeof(TfLiteStridedSliceParams)},
    {kTfLiteBuiltinSub, sizeof(TfLiteBinaryParams)},
    {kTfLiteBuiltinSum, sizeof(TfLiteReducerParams)},
    {kTfLiteBuiltinTransposeConv, sizeof(TfLiteTransposeConvParams)},
    {kTfLiteBuiltinUnpack, sizeof(TfLiteUnpackParams)},
};

size_t ParameterBytes(const TfLiteRegistration& registration) {
  if (registration.builtin_code == kTfLiteBuiltinTransposeConv && registration.version >= 4) {
    return sizeof(TfLiteTransposeConvParams4);
  }
  const auto* const known = std::find_if(std::begin(kParameters), std::end(kParameters), [&](const Parameters& entry) {
    return entry.code == registration.builtin_code;
  });
  return known != std::end(kParameters) ? known->bytes : 0;
}

// A KeyMaker numbers tensors in the order in which they come.
class KeyMaker {
 public:
  explicit KeyMaker(const ModelView& view) : view_(view) {}

  void AddNode(const NodeRef& node) {
    const std::string name = OpName(*node.registration);
    hash_.Add(Span<const char>(name.data(), name.size()));
    AddNumber(node.registration->version);
    const size_t bytes = node.node->builtin_data != nullptr ? ParameterBytes(*node.registration) : 0;
    hash_.Add(Span<const char>(static_cast<const char*>(node.node->builtin_data), bytes));
    const auto packed = view_.packed.find(node.index);
    AddNumber(packed != view_.packed.end() ? packed->second.layer->group_size : 0);
    for (const TfLiteIntArray* const tensors : {node.node->inputs, node.node->outputs}) {
      AddNumber(static_cast<int64_t>(IntArrayView(tensors).size()));
      for (const int tensor : IntArrayView(tensors)) AddTensor(tensor);
    }
  }
  // In the order of their numbers, which is that of the nodes.
  void AddOutputs(const std::vector<int>& outputs) {
    std::set<int64_t> sorted;
    for (const int tensor : outputs) {
      if (const auto known = numbers_.find(tensor); known != numbers_.end()) sorted.insert(known->second);
    }
    for (const int64_t number : sorted) AddNumber(number);
  }
  PartitionKey key() const { return {hash_.a(), hash_.b()}; }

 private:
  void AddNumber(int64_t number) { hash_.Add(&number, sizeof(number)); }

  void AddTensor(int index) {
    const auto [known, is_new] = numbers_.emplace(index, static_cast<int64_t>(numbers_.size()));
    AddNumber(known->second);
    if (!is_new) return;
    // Of a sparse tensor the stored values count, not where they stand: that hardly changes how long it takes.
    const auto expanded = view_.expanded.find(index);
    const int constant_index = expanded != view_.expanded.end() ? expanded->second : index;
    const TfLiteTensor* const tensor = TensorAt(view_.context, constant_index);
    if (tensor == nullptr) return AddNumber(-1);
    AddNumber(tensor->type);
    const Dims dims = TensorDims(*tensor);
    hash_.Add(Span<const int>(dims));
    const bool constant = tensor->allocation_type == kTfLiteMmapRo && tensor->data != nullptr;
    hash_.Add(Span<const char>(static_cast<const char*>(tensor->data), constant ? tensor->bytes : 0));
  }

  const ModelView& view_;
  Hasher hash_;
  std::map<int, int64_t> numbers_;
};

}  // namespace

PartitionKey KeyOf(const ModelView& view, const std::vector<NodeRef>& nodes, const std::vector<int>& outputs) {
  KeyMaker maker(view);
  for (const NodeRef& node : nodes) maker.AddNode(node);
  maker.AddOutputs(outputs);
  return maker.key();
}

std::string KeyText(const PartitionKey& key) {
  char text[40];
  std::snprintf(text, sizeof text, "%016" PRIx64 "%016" PRIx64, key[0], key[1]);
  return text;
}

}  // namespace mcpruner
