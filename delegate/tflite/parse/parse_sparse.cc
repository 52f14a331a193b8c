// This parser reads the project's own operators: input 0 is the feature map, input 1 the MCP1 blob.

#include <algorithm>

#include "delegate/tflite/parse/parse_common.h"
#include "delegate/tflite/parse/sparse_options.h"

namespace mcpruner {
namespace {

constexpr int kOpVersion = 1;

LayerKind KindOf(const TfLiteRegistration& registration) {
  const std::string name = OpName(registration);
  if (name == "McprunerSparseConv2D") return LayerKind::kConv2D;
  return name == "McprunerSparseTransposeConv" ? LayerKind::kTransposeConv2D : LayerKind::kFullyConnected;
}

Status SetTransposedParams(const SparseLayer& layer, const SparseOptions& options, LayerCache* cache, NodePlan* plan) {
  const Window& window = options.window;
  const Padding2D& pad = window.padding;
  if (std::max({pad.top, pad.bottom, pad.left, pad.right}) > 0 || std::max(window.dilation_h, window.dilation_w) > 1) {
    return Status::Error(
        "its options pad or dilate a transposed convolution, which is not defined; convert the model "
        "again");
  }
  TransposedConv conv = TransposedOf(layer);
  conv.stride_h = window.stride_h;
  conv.stride_w = window.stride_w;
  conv.same = options.same_padding;
  conv.output = {-1, options.output_height, options.output_width, layer.out_channels};
  return SetTransposed(conv, cache, plan);
}

}  // namespace

Span<const uint8_t> OptionBytes(const NodeRef& node) {
  const int size = node.node->custom_initial_data_size;
  const auto* data = static_cast<const uint8_t*>(node.node->custom_initial_data);
  if (data == nullptr || size < 0) return {};
  return {data, static_cast<size_t>(size)};
}

Status SetSparseParams(const LayerCache::LayerPtr& layer, Span<const uint8_t> options, LayerCache* cache,
                       NodePlan* plan) {
  const Result<SparseOptions> read = ReadSparseOptions(options);
  if (!read.ok()) return read.status();
  plan->activation = read->activation;
  switch (layer->kind) {
    case LayerKind::kFullyConnected:
      plan->type = OpType::kFullyConnected;
      plan->params = FullyConnectedParams{layer};
      if (read->keep_num_dims) plan->deferred = KeepRank{};
      return Status::Ok();
    case LayerKind::kConv2D:
      plan->type = OpType::kConv;
      plan->params = ConvParams{read->window, layer};
      if (read->same_padding) plan->deferred = SamePadding{};
      return Status::Ok();
    case LayerKind::kTransposeConv2D:
      return SetTransposedParams(*layer, *read, cache, plan);
  }
  return Status::Error("unknown kind of layer");
}

Result<NodePlan> ParseSparse(const ParseContext& c) {
  if (c.node.registration->version != kOpVersion) {
    return Status::Error("it has version " + std::to_string(c.node.registration->version) +
                         ", this delegate runs version 1; use the delegate that came with the converter");
  }
  Result<NodePlan> plan = StartPlan(c, OpType::kConv);
  if (!plan.ok()) return plan;
  const Result<Span<const uint8_t>> blob = ReadBytes(c.view, InputIndex(c.node, 1), "its sparse layer");
  if (!blob.ok()) return blob.status();
  const Result<LayerCache::LayerPtr> layer = c.cache->FromBlob(*blob);
  if (!layer.ok()) return Status::Error("its sparse layer cannot be read: " + layer.message());
  if (KindOf(*c.node.registration) != (*layer)->kind) {
    return Status::Error("its sparse layer is one of another operator; convert the model again");
  }
  MCPRUNER_RETURN_IF_ERROR(SetSparseParams(*layer, OptionBytes(c.node), c.cache, &*plan));
  return plan;
}

}  // namespace mcpruner
