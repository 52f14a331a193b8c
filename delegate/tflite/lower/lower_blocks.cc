#include "delegate/tflite/lower/lower.h"

namespace mcpruner {

Result<Value> LowerTransposedConv(const NodePlan& plan, const Value& x, GraphTensors* graph) {
  const auto& pixels = std::get<PixelBlocks>(plan.deferred);
  Dims input = pixels.input, output = pixels.output;
  if (input[0] < 0 && x.dims.size() == input.size()) input[0] = output[0] = x.dims[0];
  if (x.dims != input) {
    return Status::Error("expected an input " + DimsText(input) + " for its output " + DimsText(output) + ", got " +
                         DimsText(x.dims));
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
  return Value{output, *made, nullptr};
}

}  // namespace mcpruner
