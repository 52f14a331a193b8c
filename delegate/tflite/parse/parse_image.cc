// These parsers read operators that resample images, or move their pixels to channels and back.

#include <string>

#include "delegate/tflite/parse/parse_common.h"

namespace mcpruner {

Result<NodePlan> ParseResize(const ParseContext& c, OpType type) {
  const auto* params = BuiltinParams<TfLiteResizeParams>(c.node);
  if (params == nullptr) return MissingParams();
  if (type == OpType::kResizeBilinear && params->align_corners && params->half_pixel_centers) {
    return Status::Error("it has both align_corners and half_pixel_centers, which TFLite refuses");
  }
  Result<NodePlan> plan = StartPlan(c, type);
  if (!plan.ok()) return plan;
  MCPRUNER_RETURN_IF_ERROR(RankedDims(c, 4).status());
  const Result<std::vector<int>> size = ReadInts(c.view, InputIndex(c.node, 1), "its new size");
  if (!size.ok()) return size.status();
  if (size->size() != 2) return Status::Error("its new size is no height and width");
  plan->params = ResizeParams{(*size)[0], (*size)[1], params->align_corners, params->half_pixel_centers};
  return plan;
}

Result<NodePlan> ParseBlocks(const ParseContext& c, OpType type) {
  const auto* params = BuiltinParams<TfLiteBlockParams>(c.node);
  if (params == nullptr) return MissingParams();
  Result<NodePlan> plan = StartPlan(c, type);
  if (!plan.ok()) return plan;
  MCPRUNER_RETURN_IF_ERROR(RankedDims(c, 4).status());
  if (type == OpType::kDepthToSpace) {
    plan->params = DepthToSpaceParams{params->block_size, params->block_size};
  } else {
    plan->params = SpaceToDepthParams{params->block_size};
  }
  return plan;
}

}  // namespace mcpruner
