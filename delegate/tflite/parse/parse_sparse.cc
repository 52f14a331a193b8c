// This parser reads McprunerSparseConv2D and McprunerSparseFullyConnected: input 0 is the feature map, input 1 the MCP1
// blob.

#include "delegate/tflite/parse/parse_common.h"
#include "delegate/tflite/parse/sparse_options.h"

namespace mcpruner {
namespace {

constexpr int kOpVersion = 1;

Span<const uint8_t> OptionBytes(const NodeRef& node) {
  const int size = node.node->custom_initial_data_size;
  const auto* data = static_cast<const uint8_t*>(node.node->custom_initial_data);
  if (data == nullptr || size < 0) return {};
  return {data, static_cast<size_t>(size)};
}

}  // namespace

Status SetSparseParams(const LayerCache::LayerPtr& layer, Span<const uint8_t> options, NodePlan* plan) {
  const Result<SparseOptions> read = ReadSparseOptions(options);
  if (!read.ok()) return read.status();
  plan->activation = read->activation;
  if (layer->kind == LayerKind::kFullyConnected) {
    plan->type = OpType::kFullyConnected;
    plan->params = FullyConnectedParams{layer};
    if (read->keep_num_dims) plan->deferred = KeepRank{};
    return Status::Ok();
  }
  plan->type = OpType::kConv;
  plan->params = ConvParams{read->window, layer};
  if (read->same_padding) plan->deferred = SamePadding{};
  return Status::Ok();
}

Result<NodePlan> ParseSparse(const ParseContext& c) {
  const bool is_conv = OpName(*c.node.registration) == "McprunerSparseConv2D";
  if (c.node.registration->version != kOpVersion) {
    return Status::Error("it has version " + std::to_string(c.node.registration->version) +
                         ", this delegate runs version 1; use the delegate that came with the converter");
  }
  Result<NodePlan> plan = StartPlan(c, is_conv ? OpType::kConv : OpType::kFullyConnected);
  if (!plan.ok()) return plan;
  const Result<Span<const uint8_t>> blob = ReadBytes(c.view, InputIndex(c.node, 1), "its sparse layer");
  if (!blob.ok()) return blob.status();
  const Result<LayerCache::LayerPtr> layer = c.cache->FromBlob(*blob);
  if (!layer.ok()) return Status::Error("its sparse layer cannot be read: " + layer.message());
  if (is_conv != ((*layer)->kind == LayerKind::kConv2D)) {
    return Status::Error("its sparse layer is one of the other operator; convert the model again");
  }
  MCPRUNER_RETURN_IF_ERROR(SetSparseParams(*layer, OptionBytes(c.node), &*plan));
  return plan;
}

}  // namespace mcpruner
