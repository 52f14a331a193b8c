// McprunerSparseConv2D and McprunerSparseFullyConnected: input 0 is the feature map, input 1 the MCP1 blob.

#include "delegate/tflite/parse_common.h"
#include "delegate/tflite/sparse_options.h"

namespace mcpruner {
namespace {

constexpr int kOpVersion = 1;

Result<SparseOptions> ReadNodeOptions(const NodeRef& node) {
  const int size = node.node->custom_initial_data_size;
  const auto* data = static_cast<const uint8_t*>(node.node->custom_initial_data);
  if (data == nullptr || size < 0) return ReadSparseOptions({});
  return ReadSparseOptions({data, static_cast<size_t>(size)});
}

}  // namespace

Result<NodePlan> ParseSparse(const ParseContext& c) {
  const bool is_conv = OpName(*c.node.registration) == "McprunerSparseConv2D";
  if (c.node.registration->version != kOpVersion) {
    return Status::Error("it has version " + std::to_string(c.node.registration->version) +
                         ", this delegate runs version 1; use the delegate that came with the converter");
  }
  Result<NodePlan> plan = StartPlan(c, is_conv ? OpType::kConv : OpType::kFullyConnected);
  if (!plan.ok()) return plan;
  const Result<SparseOptions> options = ReadNodeOptions(c.node);
  if (!options.ok()) return options.status();
  const Result<Span<const uint8_t>> blob = ReadBytes(c.view, InputIndex(c.node, 1), "its sparse layer");
  if (!blob.ok()) return blob.status();
  Result<LayerCache::LayerPtr> layer = c.cache->FromBlob(*blob);
  if (!layer.ok()) return Status::Error("its sparse layer cannot be read: " + layer.message());
  const LayerKind kind = is_conv ? LayerKind::kConv2D : LayerKind::kFullyConnected;
  if ((*layer)->kind != kind) return Status::Error("its sparse layer is one of the other operator");
  plan->activation = options->activation;
  if (!is_conv) {
    if (options->keep_num_dims) plan->deferred = KeepRank{};
    plan->params = FullyConnectedParams{*layer};
    return plan;
  }
  MCPRUNER_RETURN_IF_ERROR(CheckRank(plan->inputs[0], 4));
  if (options->same_padding) plan->deferred = SamePadding{};
  plan->params = ConvParams{options->window, *layer};
  return plan;
}

}  // namespace mcpruner
