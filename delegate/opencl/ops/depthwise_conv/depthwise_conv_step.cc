#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "delegate/opencl/ops/step.h"
#include "delegate/opencl/ops/window_args.h"

namespace mcpruner::opencl {
namespace {

// A work-item computes this many pixels below each other. On paper their sums and operands fit the registers of a
// Mali-G72 (docs/opencl.md); other numbers were not measured.
constexpr int kPixels = 4;

}  // namespace

Result<Step> MakeDepthwiseConvStep(const StepContext& context) {
  const auto& params = std::get<DepthwiseParams>(context.op.params);
  const DeviceTools& tools = context.tools;
  const WindowArgs args = WindowArgsOf(context, params.window);
  const DepthwiseArgs depthwise{params.kernel_height, params.kernel_width, params.window.dilation_h * args.in.row,
                                params.window.dilation_w, params.multiplier};
  const auto positions = static_cast<size_t>(params.kernel_height * params.kernel_width);
  const auto channels = static_cast<size_t>(args.extent.channels);
  std::vector<float> weights(positions * channels);  // channel by channel
  for (size_t i = 0; i < weights.size(); ++i) weights[i % channels * positions + i / channels] = (*params.weights)[i];
  Result<DeviceWeights> elements = UploadElements(*tools.device, tools.precision, weights, positions);
  if (!elements.ok()) return elements.status();
  Step step;
  step.weights.push_back(std::make_shared<const DeviceWeights>(std::move(*elements)));
  const Result<cl_mem> bias = AddTable(*tools.device, *params.bias, &step);
  if (!bias.ok()) return bias.status();
  const Extent& out = args.extent;
  const int pixels = std::min(kPixels, out.rows);
  const int64_t items = int64_t{out.images} * ((out.rows + pixels - 1) / pixels) * out.columns;
  const Defines defines{{"LANES", std::to_string(tools.tiles.lanes)}, {"PIXELS", std::to_string(pixels)}};
  Result<Launch> launch =
      MakeLaunch(tools, "depthwise_conv.cl", "depthwise", defines, LinearRange(items, tools.tiles.lanes, out.channels),
                 context.arena, context.arena, step.weights[0]->buffer.get(), *bias, args, depthwise);
  return AddLaunch(std::move(step), std::move(launch));
}

}  // namespace mcpruner::opencl
