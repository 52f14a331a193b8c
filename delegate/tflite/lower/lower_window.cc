#include <algorithm>
#include <string>
#include <utility>

#include "delegate/graph/weights/grouped_layer.h"
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

// Returns the number of groups. It is above 1 only if the input has a multiple of the channels of a filter, and each
// group gets a whole number of filters.
int GroupsOf(const Op& op, const Shape& x) {
  const auto* conv = std::get_if<ConvParams>(&op.params);
  if (conv == nullptr || x.c < 1 || x.c % conv->layer->in_channels != 0) return 1;
  const int groups = x.c / conv->layer->in_channels;
  return conv->layer->out_channels % groups == 0 ? groups : 1;
}

// Gives a convolution the layer for the channels of its input, which decide how many groups it has.
Status ResolveGroups(const NodePlan& plan, const Shape& x, Op* op) {
  const int groups = GroupsOf(*op, x);
  if (groups == 1) return Status::Ok();
  auto& layer = std::get<ConvParams>(op->params).layer;
  if (plan.grouped != nullptr && plan.grouped->in_channels == x.c) {
    layer = plan.grouped;
    return Status::Ok();
  }
  Result<SparseLayer> made = InGroups(*layer, groups);
  if (!made.ok()) return made.status();
  layer = std::make_shared<const SparseLayer>(std::move(*made));
  return Status::Ok();
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
  MCPRUNER_RETURN_IF_ERROR(ResolveGroups(plan, in, &op));
  const Result<int> made = graph->Append(std::move(op));
  if (!made.ok()) return made.status();
  const Shape& out = graph->shape(*made);
  return Value{{out.n, out.h, out.w, out.c}, *made, nullptr};
}

}  // namespace mcpruner
