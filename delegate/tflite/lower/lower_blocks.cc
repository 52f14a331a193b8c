#include "delegate/tflite/lower/lower.h"

namespace mcpruner {

Result<Value> LowerTransposedConv(const NodePlan& plan, const Value& x, GraphTensors* graph) {
  const auto& pixels = std::get<PixelBlocks>(plan.deferred);
  if (x.dims != pixels.input) {
    return Status::Error("expected an input " + DimsText(pixels.input) + " for its output " + DimsText(pixels.output) +
                         ", got " + DimsText(x.dims));
  }
  Op conv = OpOf(plan);
  conv.inputs = {x.index};
  Result<int> made = graph->Append(std::move(conv));
  const DepthToSpaceParams& blocks = pixels.blocks;
  if (made.ok() && (blocks.block_height > 1 || blocks.block_width > 1)) {
    Op spread;
    spread.type = OpType::kDepthToSpace;
    spread.name = plan.name;
    spread.inputs = {*made};
    spread.params = blocks;
    made = graph->Append(std::move(spread));
  }
  if (!made.ok()) return made.status();
  return Value{pixels.output, *made, nullptr};
}

}  // namespace mcpruner
