#include "delegate/tflite/predict/layer_times.h"

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "delegate/cost/amounts.h"
#include "delegate/tflite/abi/builtin_params.h"
#include "delegate/tflite/abi/int_array.h"
#include "delegate/tflite/parse/node_plan.h"
#include "delegate/tflite/parse/parse_common.h"
#include "delegate/tflite/parse/sparse_options.h"
#include "delegate/tflite/predict/phases.h"

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

Geometry ImageGeometry(const ModelView& view, int tensor, LayerType type, int stride, int groups = 1) {
  const TfLiteTensor* const image = TensorAt(view.context, tensor);
  return {type, KnownSize(image, 1), KnownSize(image, 2), static_cast<double>(stride), static_cast<double>(groups)};
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

std::optional<Geometry> ConvGeometry(const ModelView& view, const NodeRef& node, const Dims& weights) {
  const auto* const params = BuiltinParams<TfLiteConvParams>(node);
  const Dims input = DimsAt(view, InputIndex(node, 0));
  if (params == nullptr || weights.size() != 4 || input.size() != 4) return std::nullopt;
  const int output = OutputIndex(node, 0), stride = params->stride_width;
  if (weights[3] == 1 && input[3] != 1) {  // groups of one channel each are depthwise
    return ImageGeometry(view, output, LayerType::kDepthwise, stride);
  }
  const int groups = weights[3] > 0 && input[3] % weights[3] == 0 ? input[3] / weights[3] : 0;
  if (groups < 1 || weights[0] % groups != 0) return std::nullopt;
  return ImageGeometry(view, output, LayerType::kConv, stride, groups);
}

Times DepthwiseTimes(const ModelView& view, const NodeRef& node, const Dims& weights, const cost::CostTable& table) {
  const auto* const params = BuiltinParams<TfLiteDepthwiseConvParams>(node);
  if (params == nullptr || weights.size() != 4) return {};
  const Geometry geometry = ImageGeometry(view, OutputIndex(node, 0), LayerType::kDepthwise, params->stride_width);
  return DenseTimes(ShapeOf(weights), geometry, table);
}

std::optional<Geometry> TransposedGeometry(const ModelView& view, const NodeRef& node, const Dims& weights) {
  const auto* const params = BuiltinParams<TfLiteTransposeConvParams>(node);
  if (params == nullptr || weights.size() != 4) return std::nullopt;
  const int input = InputIndex(node, 2);  // behind the output's shape and the filter
  return ImageGeometry(view, input, LayerType::kTransposedConv, params->stride_width);
}

cost::Counts CountsOf(const SparseLayer& layer, int phases) {
  std::vector<int> phases_of;
  for (const uint64_t pattern : layer.patterns) {
    phases_of.push_back(PhasesOf(pattern, layer.kernel_height, layer.kernel_width, phases));
  }
  cost::Counts counts{static_cast<double>(layer.NumValues()), 0};
  for (const SparseLayer::Run& run : layer.runs) counts.kernels += run.count * phases_of[run.pattern];
  return counts;
}

Geometry PackedGeometry(const ModelView& view, const NodeRef& node, LayerKind kind, const SparseOptions& options) {
  const int stride = options.window.stride_w;
  switch (kind) {
    case LayerKind::kFullyConnected:
      return RowsOf(view, node);
    case LayerKind::kTransposeConv2D:
      return ImageGeometry(view, InputIndex(node, 0), LayerType::kTransposedConv, stride, options.groups);
    case LayerKind::kConv2D:
      break;
  }
  return ImageGeometry(view, OutputIndex(node, 0), LayerType::kConv, stride, options.groups);
}

Times PackedTimes(const SparseLayer& layer, const Geometry& geometry, const WeightShape& shape,
                  const cost::CostTable& table) {
  const cost::Counts counts = CountsOf(layer, static_cast<int>(geometry.phases()));
  return {table.Time(cost::TfliteAmounts(shape, geometry, *table.simd)),
          table.Time(cost::PackedAmounts(counts, shape, layer.group_size, geometry, *table.simd))};
}

// Of a CONV_2D, FULLY_CONNECTED or TRANSPOSE_CONV.
Times ConvTimes(const ModelView& view, const NodeRef& node, const Dims& weights, const cost::CostTable& table) {
  const std::optional<Geometry> geometry = DenseGeometry(view, node);
  if (!geometry) return {};
  WeightShape shape = ShapeOf(weights.size() == 2 ? Dims{weights[0], 1, 1, weights[1]} : weights);
  if (const auto packed = view.packed.find(node.index); packed != view.packed.end()) {
    return PackedTimes(*packed->second.layer, *geometry, shape, table);
  }
  if (geometry->type == LayerType::kDepthwise) std::swap(shape.filters, shape.channels);
  return DenseTimes(shape, *geometry, table);
}

// What is wrong with a layer, its partition says when it is prepared.
Times TimesInFile(const ModelView& view, const NodeRef& node, const cost::CostTable& table, LayerCache* cache) {
  const Result<Span<const uint8_t>> blob = ReadBytes(view, InputIndex(node, 1), "its sparse layer");
  const Result<SparseOptions> options = ReadSparseOptions(OptionBytes(node));
  if (!blob.ok() || !options.ok()) return {};
  const Result<LayerCache::LayerPtr> read = cache->FromBlob(*blob);
  if (!read.ok()) return {};
  const SparseLayer& layer = **read;
  const Geometry geometry = PackedGeometry(view, node, layer.kind, *options);
  const WeightShape shape{static_cast<double>(layer.out_channels), static_cast<double>(layer.kernel_height),
                          static_cast<double>(layer.kernel_width), std::floor(layer.in_channels / geometry.groups)};
  return PackedTimes(layer, geometry, shape, table);
}

}  // namespace

std::optional<Geometry> DenseGeometry(const ModelView& view, const NodeRef& node) {
  const Dims weights = ConstantDims(view, InputIndex(node, 1));
  const std::string name = OpName(*node.registration);
  if (name == "CONV_2D") return ConvGeometry(view, node, weights);
  if (name == "TRANSPOSE_CONV") return TransposedGeometry(view, node, weights);
  return weights.size() == 2 ? std::optional<Geometry>(RowsOf(view, node)) : std::nullopt;
}

bool HasWeights(const TfLiteRegistration& registration) {
  const std::string name = OpName(registration);
  return IsSparseOp(registration) || cost::KindOf(name) == cost::Kind::kWeights || name == "CONV_3D";
}

Times LayerTimes(const ModelView& view, const NodeRef& node, const cost::CostTable& table, LayerCache* cache) {
  if (IsSparseOp(*node.registration)) return TimesInFile(view, node, table, cache);
  const std::string name = OpName(*node.registration);
  const int filter = InputIndex(node, 1);
  if (name != "DEPTHWISE_CONV_2D" && name != "TRANSPOSE_CONV" && !IsFloatConstant(view, filter)) return {};
  const Dims weights = ConstantDims(view, filter);
  if (name == "DEPTHWISE_CONV_2D") return DepthwiseTimes(view, node, weights, table);
  const bool known = name == "CONV_2D" || name == "FULLY_CONNECTED" || name == "TRANSPOSE_CONV";
  return known ? ConvTimes(view, node, weights, table) : Times();
}

}  // namespace mcpruner
