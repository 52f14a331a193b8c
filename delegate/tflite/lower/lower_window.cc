#include <algorithm>
#include <string>
#include <utility>

#include "delegate/tflite/lower/lower.h"

namespace mcpruner {
namespace {

// Resolves TFLite's SAME along one dimension: what is missing for ceil(in / stride) outputs is padded, the smaller half
// before.
void ResolveSame(int in, int kernel, int stride, int dilation, int* before, int* after) {
  const int64_t out = (int64_t{in} + stride - 1) / stride;
  const int64_t missing = (out - 1) * stride + int64_t{kernel - 1} * dilation + 1 - in;
  const int total = static_cast<int>(std::clamp<int64_t>(missing, 0, 1 << 20));
  *before = total / 2;
  *after = total - total / 2;
}

void ResolveSame(const Shape& x, int kernel_height, int kernel_width, Window* w) {
  ResolveSame(x.h, kernel_height, w->stride_h, w->dilation_h, &w->padding.top, &w->padding.bottom);
  ResolveSame(x.w, kernel_width, w->stride_w, w->dilation_w, &w->padding.left, &w->padding.right);
}

// Changes the parameters that depend on SAME, whichever op they belong to.
Status ResolveSame(const Shape& x, OpParams* params) {
  const auto valid = [](const Window& w) {
    return w.stride_h >= 1 && w.stride_w >= 1 && w.dilation_h >= 1 && w.dilation_w >= 1;
  };
  if (auto* conv = std::get_if<ConvParams>(params); conv != nullptr && valid(conv->window)) {
    ResolveSame(x, conv->layer->kernel_height, conv->layer->kernel_width, &conv->window);
  } else if (auto* depthwise = std::get_if<DepthwiseParams>(params); depthwise != nullptr && valid(depthwise->window)) {
    ResolveSame(x, depthwise->kernel_height, depthwise->kernel_width, &depthwise->window);
  } else if (auto* pool = std::get_if<PoolParams>(params); pool != nullptr && valid(pool->window)) {
    ResolveSame(x, pool->filter_height, pool->filter_width, &pool->window);
  } else {
    return Status::Error("expected strides and dilation factors of at least 1");
  }
  return Status::Ok();
}

// TFLite takes the multiplier from the sizes, not from the operator's options.
Status ResolveMultiplier(const Shape& x, DepthwiseParams* params) {
  const int filters = static_cast<int>(params->bias->size());
  if (x.c < 1 || filters % x.c != 0) {
    return Status::Error("its " + std::to_string(filters) + " filters do not fit an input of " + std::to_string(x.c) +
                         " channels");
  }
  params->multiplier = filters / x.c;
  return Status::Ok();
}

// Returns the filters of group `group` of `groups` as a layer of its own.
Result<std::shared_ptr<const SparseLayer>> GroupLayer(const SparseLayer& layer, const std::vector<float>& weights,
                                                      int groups, int group) {
  const int filters = layer.out_channels / groups;
  const size_t first = static_cast<size_t>(group) * static_cast<size_t>(filters), count = static_cast<size_t>(filters);
  const size_t size = weights.size() / static_cast<size_t>(layer.out_channels);
  const DenseShape shape{filters, layer.kernel_height, layer.kernel_width, layer.in_channels};
  Result<SparseLayer> part = SparseLayerFromDense(LayerKind::kConv2D, shape, {&weights[first * size], count * size},
                                                  {&layer.bias[first], count}, layer.group_size);
  if (!part.ok()) return part.status();
  return std::make_shared<const SparseLayer>(std::move(*part));
}

// Each group reads its share of the channels and makes its share of the filters.
Result<int> AppendGroups(const Op& conv, int x, int groups, GraphTensors* graph) {
  const auto& params = std::get<ConvParams>(conv.params);
  const std::vector<float> weights = DenseWeights(*params.layer);
  const Shape& in = graph->shape(x);
  const std::array<int, 4> size{in.n, in.h, in.w, params.layer->in_channels};
  Op concat;
  concat.type = OpType::kConcat;
  concat.name = conv.name;
  concat.params = ConcatParams{};
  for (int group = 0; group < groups; ++group) {
    Op slice;
    slice.type = OpType::kStridedSlice;
    slice.name = conv.name;
    slice.inputs = {x};
    slice.params = StridedSliceParams{{0, 0, 0, group * params.layer->in_channels}, size};
    const Result<int> channels = graph->Append(std::move(slice));
    if (!channels.ok()) return channels;
    const auto layer = GroupLayer(*params.layer, weights, groups, group);
    if (!layer.ok()) return layer.status();
    Op part = conv;
    part.inputs = {*channels};
    part.params = ConvParams{params.window, *layer};
    const Result<int> filters = graph->Append(std::move(part));
    if (!filters.ok()) return filters;
    concat.inputs.push_back(*filters);
  }
  return graph->Append(std::move(concat));
}

// Returns the number of groups. It is above 1 only if the input has a multiple of the channels of a filter, and each
// group gets a whole number of filters.
int GroupsOf(const Op& op, const Shape& x) {
  const auto* conv = std::get_if<ConvParams>(&op.params);
  if (conv == nullptr || x.c < 1 || x.c % conv->layer->in_channels != 0) return 1;
  const int groups = x.c / conv->layer->in_channels;
  return conv->layer->out_channels % groups == 0 ? groups : 1;
}

}  // namespace

Result<Value> LowerWindow(const NodePlan& plan, const Value& x, GraphTensors* graph) {
  if (x.dims.size() != 4) {
    return Status::Error("expected an input of 4 dimensions, got " + std::to_string(x.dims.size()));
  }
  const Shape in = graph->shape(x.index);
  Op op = OpOf(plan);
  op.inputs = {x.index};
  if (std::holds_alternative<SamePadding>(plan.deferred)) MCPRUNER_RETURN_IF_ERROR(ResolveSame(in, &op.params));
  if (auto* depthwise = std::get_if<DepthwiseParams>(&op.params)) {
    MCPRUNER_RETURN_IF_ERROR(ResolveMultiplier(in, depthwise));
  }
  const int groups = GroupsOf(op, in);
  const Result<int> made = groups > 1 ? AppendGroups(op, x.index, groups, graph) : graph->Append(std::move(op));
  if (!made.ok()) return made.status();
  const Shape& out = graph->shape(*made);
  return Value{{out.n, out.h, out.w, out.c}, *made, nullptr};
}

}  // namespace mcpruner
