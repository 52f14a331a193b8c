// These parsers read convolutions and fully-connected layers with dense weights, those too that were packed at load.

#include <algorithm>
#include <numeric>
#include <string>

#include "delegate/tflite/parse/parse_common.h"

namespace mcpruner {
namespace {

// Weights are those of a node, its inputs 1 and, in most operators, 2. The bias is optional.
struct Weights {
  FloatConstant filter;
  FloatConstant bias;
};

// Of a layer that was packed at load the elements are not read again: those of a sparse or float16 one would have to be
// expanded for it.
Result<FloatConstant> ReadFilter(const ParseContext& c) {
  const int filter = InputIndex(c.node, 1);
  if (c.view.packed.count(c.node.index) == 0) return ReadFloats(c.view, filter, "its filter");
  FloatConstant sizes;
  sizes.dims = ConstantDims(c.view, filter);
  return sizes;
}

Result<Weights> ReadWeights(const ParseContext& c, size_t rank, const char* layout, size_t bias_input = 2) {
  Weights weights;
  Result<FloatConstant> filter = ReadFilter(c);
  if (!filter.ok()) return filter.status();
  if (filter->dims.size() != rank) {
    return Status::Error(std::string("expected a filter ") + layout + ", got " + DimsText(filter->dims));
  }
  weights.filter = std::move(*filter);
  const int bias_index = InputIndex(c.node, bias_input);
  if (bias_index == kTfLiteOptionalTensor) return weights;
  Result<FloatConstant> bias = ReadFloats(c.view, bias_index, "its bias");
  if (!bias.ok()) return bias.status();
  weights.bias = std::move(*bias);
  return weights;
}

Status CheckBias(const Weights& weights, int out_channels) {
  const size_t count = weights.bias.values.size();
  if (count == 0 || count == static_cast<size_t>(out_channels)) return Status::Ok();
  return Status::Error("expected " + std::to_string(out_channels) + " biases, got " + std::to_string(count));
}

// Does what DenseGroupSize does for a convolution of several groups. A filter group that reached over two of them would
// multiply zeros by the channels of the other one, which may be infinite.
int GroupSizeInGroups(int out_channels, int groups) { return std::gcd(out_channels / groups, 4); }

// Returns how many groups a convolution has whose filters are of `shape`.
Result<int> GroupsOf(const DenseShape& shape, int in_channels) {
  const int groups = shape.in_channels > 0 ? in_channels / shape.in_channels : 0;
  if (groups >= 1 && groups * shape.in_channels == in_channels && shape.out_channels % groups == 0) return groups;
  return Status::Error("its " + std::to_string(shape.out_channels) + " filters of " +
                       std::to_string(shape.in_channels) + " channels share an input of " +
                       std::to_string(in_channels) + " channels in no whole groups");
}

template <typename Params>
Window WindowOf(const Params& params) {
  Window window;
  window.stride_h = params.stride_height;
  window.stride_w = params.stride_width;
  window.dilation_h = params.dilation_height_factor;
  window.dilation_w = params.dilation_width_factor;
  return window;
}

// Does what StartPlan does, and what convolutions have in common: activation, padding.
template <typename Params>
Result<NodePlan> StartConv(const ParseContext& c, OpType type, const Params* params) {
  if (params == nullptr) return MissingParams();
  Result<NodePlan> plan = StartPlan(c, type);
  if (!plan.ok()) return plan;
  const Result<Activation> activation = MapActivation(params->activation);
  if (!activation.ok()) return activation.status();
  plan->activation = *activation;
  MCPRUNER_RETURN_IF_ERROR(SetPadding(params->padding, &*plan));
  return plan;
}

// Makes the plan one of a depthwise convolution. `dims` are [1, rows, columns, filters], in which order `filter` lies.
void SetDepthwise(const Window& window, const Dims& dims, std::vector<float> filter, Span<const float> bias,
                  NodePlan* plan) {
  DepthwiseParams depthwise;
  depthwise.window = window;
  depthwise.kernel_height = dims[1];
  depthwise.kernel_width = dims[2];
  std::vector<float> biases(bias.begin(), bias.end());
  biases.resize(static_cast<size_t>(dims[3]), 0.0f);
  depthwise.weights = std::make_shared<const std::vector<float>>(std::move(filter));
  depthwise.bias = std::make_shared<const std::vector<float>>(std::move(biases));
  plan->type = OpType::kDepthwiseConv;
  plan->params = std::move(depthwise);
}

// Returns a filter [filters, rows, columns, 1] as [rows, columns, filters].
std::vector<float> FiltersLast(const FloatConstant& filter) {
  const size_t filters = static_cast<size_t>(filter.dims[0]);
  std::vector<float> last(filter.values.size());
  const size_t positions = filters == 0 ? 0 : last.size() / filters;
  for (size_t f = 0; f < filters; ++f) {
    for (size_t p = 0; p < positions; ++p) last[p * filters + f] = filter.values[f * positions + p];
  }
  return last;
}

}  // namespace

// There are as many as the micro-kernels of the cpu are made for. Over single pixels the vector lies over the filters.
int DenseGroupSize(const Dims& input, int out_channels) {
  const bool single_pixels =
      input.size() < 3 || std::all_of(input.begin() + 1, input.end() - 1, [](int d) { return d == 1; });
  return single_pixels && out_channels >= 16 ? 16 : 4;
}

Result<NodePlan> ParseConv2D(const ParseContext& c) {
  const auto* params = BuiltinParams<TfLiteConvParams>(c.node);
  Result<NodePlan> plan = StartConv(c, OpType::kConv, params);
  if (!plan.ok()) return plan;
  Result<Weights> weights = ReadWeights(c, 4, "[filters, rows, columns, channels]");
  if (!weights.ok()) return weights.status();
  const Dims& dims = weights->filter.dims;
  MCPRUNER_RETURN_IF_ERROR(CheckBias(*weights, dims[0]));
  const Result<Dims> input = RankedDims(c, 4);
  if (!input.ok()) return input.status();
  // Groups of one channel each are depthwise, as Keras' Conv2D(groups=channels) is written.
  if (dims[3] == 1 && (*input)[3] > 1 && dims[0] > 0 && dims[0] % (*input)[3] == 0) {
    const Dims depthwise{1, dims[1], dims[2], dims[0]};
    SetDepthwise(WindowOf(*params), depthwise, FiltersLast(weights->filter), weights->bias.values, &*plan);
    return plan;
  }
  const DenseShape shape{dims[0], dims[1], dims[2], dims[3]};
  const Result<int> groups = GroupsOf(shape, (*input)[3]);
  if (!groups.ok()) return groups.status();
  if (const auto packed = c.view.packed.find(c.node.index); packed != c.view.packed.end()) {
    plan->params = ConvParams{WindowOf(*params), packed->second.layer};
    plan->grouped = packed->second.grouped;
    return plan;
  }
  const int group_size = *groups > 1 ? GroupSizeInGroups(dims[0], *groups) : DenseGroupSize(*input, dims[0]);
  const auto layer =
      c.cache->FromDense(LayerKind::kConv2D, shape, weights->filter.values, weights->bias.values, group_size);
  if (!layer.ok()) return layer.status();
  plan->params = ConvParams{WindowOf(*params), *layer};
  if (*groups == 1) return plan;
  const auto grouped = c.cache->FromGroups(shape, *groups, weights->filter.values, weights->bias.values, group_size);
  if (!grouped.ok()) return grouped.status();
  plan->grouped = *grouped;
  return plan;
}

Result<NodePlan> ParseDepthwiseConv2D(const ParseContext& c) {
  const auto* params = BuiltinParams<TfLiteDepthwiseConvParams>(c.node);
  Result<NodePlan> plan = StartConv(c, OpType::kDepthwiseConv, params);
  if (!plan.ok()) return plan;
  Result<Weights> weights = ReadWeights(c, 4, "[1, rows, columns, filters]");
  if (!weights.ok()) return weights.status();
  const Dims& dims = weights->filter.dims;
  MCPRUNER_RETURN_IF_ERROR(CheckBias(*weights, dims[3]));
  if (dims[0] != 1) return Status::Error("expected a filter [1, rows, columns, filters], got " + DimsText(dims));
  MCPRUNER_RETURN_IF_ERROR(RankedDims(c, 4).status());
  const Span<const float> filter = weights->filter.values;
  SetDepthwise(WindowOf(*params), dims, {filter.begin(), filter.end()}, weights->bias.values, &*plan);
  return plan;
}

Result<NodePlan> ParseFullyConnected(const ParseContext& c) {
  const auto* params = BuiltinParams<TfLiteFullyConnectedParams>(c.node);
  if (params == nullptr) return MissingParams();
  if (params->weights_format != 0) return Status::Error("its weights are shuffled for int8");
  Result<NodePlan> plan = StartPlan(c, OpType::kFullyConnected);
  if (!plan.ok()) return plan;
  const Result<Activation> activation = MapActivation(params->activation);
  if (!activation.ok()) return activation.status();
  plan->activation = *activation;
  if (params->keep_num_dims) plan->deferred = KeepRank{};
  Result<Weights> weights = ReadWeights(c, 2, "[units, channels]");
  if (!weights.ok()) return weights.status();
  const Dims& dims = weights->filter.dims;
  MCPRUNER_RETURN_IF_ERROR(CheckBias(*weights, dims[0]));
  if (const auto packed = c.view.packed.find(c.node.index); packed != c.view.packed.end()) {
    plan->params = FullyConnectedParams{packed->second.layer};
    return plan;
  }
  Result<LayerCache::LayerPtr> layer =
      c.cache->FromDense(LayerKind::kFullyConnected, {dims[0], 1, 1, dims[1]}, weights->filter.values,
                         weights->bias.values, DenseGroupSize(InputDims(c), dims[0]));
  if (!layer.ok()) return layer.status();
  plan->params = FullyConnectedParams{*layer};
  return plan;
}

Result<NodePlan> ParseTransposeConv(const ParseContext& c) {
  const auto* params = BuiltinParams<TfLiteTransposeConvParams>(c.node);
  if (params == nullptr) return MissingParams();
  Result<NodePlan> plan = StartPlan(c, OpType::kConv, 2);  // behind the output's shape and the filter
  if (!plan.ok()) return plan;
  if (c.node.registration->version >= 4) {
    const Result<Activation> activation = MapActivation(BuiltinParams<TfLiteTransposeConvParams4>(c.node)->activation);
    if (!activation.ok()) return activation.status();
    plan->activation = *activation;
  }
  MCPRUNER_RETURN_IF_ERROR(SetPadding(params->padding, &*plan));
  const Result<std::vector<int>> shape = ReadInts(c.view, InputIndex(c.node, 0), "its output shape");
  if (!shape.ok()) return shape.status();
  const Result<Weights> weights = ReadWeights(c, 4, "[filters, rows, columns, channels]", 3);
  if (!weights.ok()) return weights.status();
  const Dims& dims = weights->filter.dims;
  MCPRUNER_RETURN_IF_ERROR(CheckBias(*weights, dims[0]));
  if (shape->size() != 4 || (*shape)[3] != dims[0]) {
    return Status::Error("its output shape " + DimsText(*shape) + " does not fit its " + std::to_string(dims[0]) +
                         " filters");
  }
  TransposedConv conv;
  if (const auto packed = c.view.packed.find(c.node.index); packed != c.view.packed.end()) {
    conv = TransposedOf(*packed->second.layer);
  } else {
    conv.shape = {dims[0], dims[1], dims[2], dims[3]};
    conv.weights.assign(weights->filter.values.begin(), weights->filter.values.end());
    conv.bias.assign(weights->bias.values.begin(), weights->bias.values.end());
  }
  conv.stride_h = params->stride_height;
  conv.stride_w = params->stride_width;
  conv.same = params->padding == kTfLitePaddingSame;
  conv.output = *shape;
  MCPRUNER_RETURN_IF_ERROR(SetTransposed(conv, c.cache, &*plan));
  return plan;
}

}  // namespace mcpruner
