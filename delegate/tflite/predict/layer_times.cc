#include "delegate/tflite/predict/layer_times.h"

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "delegate/cost/amounts.h"
#include "delegate/tflite/abi/builtin_params.h"
#include "delegate/tflite/abi/int_array.h"
#include "delegate/tflite/parse/node_plan.h"
#include "delegate/tflite/parse/parse_common.h"

namespace mcpruner {
namespace {

using cost::Geometry;
using cost::LayerType;
using cost::Times;
using cost::WeightShape;

#define MCPRUNER_COUNT(name, count) [[maybe_unused]] constexpr double k##name = count;
#include "format/costs.inc"

Dims DimsAt(const ModelView& view, int index) {
  const TfLiteTensor* const tensor = TensorAt(view.context, index);
  return tensor != nullptr ? TensorDims(*tensor) : Dims();
}

// Returns a size of a tensor of rank 4, or kOpenSize where it is only known when the model runs.
double KnownSize(const TfLiteTensor* tensor, size_t axis) {
  const Dims dims = tensor != nullptr ? TensorDims(*tensor) : Dims();
  if (dims.size() != 4) return kOpenSize;
  const Span<const int> signature = IntArrayView(tensor->dims_signature);
  const bool open = signature.size() == 4 && signature[axis] < 0;
  return open || dims[axis] <= 0 ? kOpenSize : dims[axis];
}

Geometry ImageGeometry(const ModelView& view, const NodeRef& node, LayerType type, int stride) {
  const TfLiteTensor* const output = TensorAt(view.context, OutputIndex(node, 0));
  return {type, KnownSize(output, 1), KnownSize(output, 2), static_cast<double>(stride)};
}

Geometry RowsOf(const ModelView& view, const NodeRef& node) {
  Dims dims = DimsAt(view, OutputIndex(node, 0));
  if (!dims.empty()) dims.pop_back();
  return cost::RowsGeometry(dims);
}

Times DenseTimes(const WeightShape& shape, const Geometry& geometry, const cost::CostTable& table) {
  return {table.Time(cost::TfliteAmounts(shape, geometry, *table.simd)),
          table.Time(cost::UnpackedAmounts(shape, geometry, *table.simd))};
}

WeightShape ShapeOf(const Dims& dims) {
  return {static_cast<double>(dims[0]), static_cast<double>(dims[1]), static_cast<double>(dims[2]),
          static_cast<double>(dims[3])};
}

Times ConvTimes(const ModelView& view, const NodeRef& node, const Dims& weights, const cost::CostTable& table) {
  const auto* const params = BuiltinParams<TfLiteConvParams>(node);
  const Dims input = DimsAt(view, InputIndex(node, 0));
  if (params == nullptr || weights.size() != 4 || input.size() != 4) return {};
  WeightShape shape = ShapeOf(weights);
  if (weights[3] == input[3]) {
    return DenseTimes(shape, ImageGeometry(view, node, LayerType::kConv, params->stride_width), table);
  }
  if (weights[3] != 1) return {};
  std::swap(shape.filters, shape.channels);  // groups of one channel each are depthwise
  return DenseTimes(shape, ImageGeometry(view, node, LayerType::kDepthwise, params->stride_width), table);
}

Times DepthwiseTimes(const ModelView& view, const NodeRef& node, const Dims& weights, const cost::CostTable& table) {
  const auto* const params = BuiltinParams<TfLiteDepthwiseConvParams>(node);
  if (params == nullptr || weights.size() != 4) return {};
  const Geometry geometry = ImageGeometry(view, node, LayerType::kDepthwise, params->stride_width);
  return DenseTimes(ShapeOf(weights), geometry, table);
}

Times FullyConnectedTimes(const ModelView& view, const NodeRef& node, const Dims& weights,
                          const cost::CostTable& table) {
  if (weights.size() != 2) return {};
  const WeightShape shape{static_cast<double>(weights[0]), 1, 1, static_cast<double>(weights[1])};
  return DenseTimes(shape, RowsOf(view, node), table);
}

// It multiplies each pixel of its input by all weights, as a convolution of that size does.
Times TransposedTimes(const ModelView& view, const NodeRef& node, const Dims& weights, const cost::CostTable& table) {
  const Dims input = DimsAt(view, InputIndex(node, 2));
  if (weights.size() != 4 || input.size() != 4) return {};
  const Geometry geometry{LayerType::kConv, static_cast<double>(input[1]), static_cast<double>(input[2]), 1};
  return DenseTimes(ShapeOf(weights), geometry, table);
}

Times PackedTimes(const ModelView& view, const NodeRef& node, const cost::CostTable& table, LayerCache* cache) {
  const Result<std::vector<NodePlan>> plans = ParseNode(view, node, cache);
  if (!plans.ok()) return {};  // the partition says why when it is prepared
  const NodePlan& plan = plans->front();
  const auto* const conv = std::get_if<ConvParams>(&plan.params);
  const SparseLayer& layer = conv != nullptr ? *conv->layer : *std::get<FullyConnectedParams>(plan.params).layer;
  const Geometry geometry =
      conv != nullptr ? ImageGeometry(view, node, LayerType::kConv, conv->window.stride_w) : RowsOf(view, node);
  const WeightShape shape{static_cast<double>(layer.out_channels), static_cast<double>(layer.kernel_height),
                          static_cast<double>(layer.kernel_width), static_cast<double>(layer.in_channels)};
  const cost::Counts counts{static_cast<double>(layer.NumValues()), static_cast<double>(layer.channels.size())};
  return {table.Time(cost::TfliteAmounts(shape, geometry, *table.simd)),
          table.Time(cost::PackedAmounts(counts, shape, layer.group_size, geometry, *table.simd))};
}

}  // namespace

bool HasWeights(const TfLiteRegistration& registration) {
  const std::string name = OpName(registration);
  return IsSparseOp(registration) || cost::KindOf(name) == cost::Kind::kWeights || name == "CONV_3D";
}

Times LayerTimes(const ModelView& view, const NodeRef& node, const cost::CostTable& table, LayerCache* cache) {
  if (IsSparseOp(*node.registration)) return PackedTimes(view, node, table, cache);
  const std::string name = OpName(*node.registration);
  const int filter = InputIndex(node, 1);
  if (name != "DEPTHWISE_CONV_2D" && name != "TRANSPOSE_CONV" && !IsFloatConstant(view, filter)) return {};
  const Dims weights = DimsAt(view, filter);
  if (name == "CONV_2D") return ConvTimes(view, node, weights, table);
  if (name == "DEPTHWISE_CONV_2D") return DepthwiseTimes(view, node, weights, table);
  if (name == "FULLY_CONNECTED") return FullyConnectedTimes(view, node, weights, table);
  return name == "TRANSPOSE_CONV" ? TransposedTimes(view, node, weights, table) : Times();
}

}  // namespace mcpruner
