#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "delegate/opencl/ops/layer_buffers.h"
#include "delegate/opencl/ops/step.h"
#include "delegate/opencl/ops/window_args.h"
#include "delegate/opencl/plan/packed_layer.h"

namespace mcpruner::opencl {
namespace {

std::string Text(int value) { return std::to_string(value); }

std::vector<int> Multiples(int count, int stride) {
  std::vector<int> multiples;
  for (int i = 0; i < count; ++i) multiples.push_back(i * stride);
  return multiples;
}

// Returns the displacements of a kernel's positions from a window's first element.
std::vector<int> Positions(const SparseLayer& layer, const Window& window, int pitch) {
  std::vector<int> positions;
  for (int ky = 0; ky < layer.kernel_height; ++ky) {
    for (int kx = 0; kx < layer.kernel_width; ++kx) {
      positions.push_back(ky * window.dilation_h * pitch + kx * window.dilation_w);
    }
  }
  return positions;
}

// Returns the tile that was measured for this convolution, or else the table's choice.
ConvTile TileOf(const ConvParams& conv, const Shape& out, const DeviceTools& tools) {
  if (tools.conv_tile) return *tools.conv_tile;
  if (const std::optional<ConvTile> tuned = tools.tuned->Load(conv, out)) return *tuned;
  return ChooseConvTile(tools.tiles, tools.device->info(), ConvSizesOf(*conv.layer, out));
}

}  // namespace

Result<Step> MakeConvStep(const StepContext& context) {
  const auto& params = std::get<ConvParams>(context.op.params);
  const DeviceTools& tools = context.tools;
  WindowArgs args = WindowArgsOf(context, params.window);
  const auto channels = Multiples(params.layer->in_channels, args.in.channel);
  Step step;
  const auto layer =
      AddLayer(context, params.layer,
               PackTaps(*params.layer, channels, Positions(*params.layer, params.window, args.in.row)), &step);
  if (!layer.ok()) return layer.status();
  args.has_residual = context.op.inputs.size() > 1 ? 1 : 0;
  if (args.has_residual != 0) args.residual = context.input(1).map();
  const Extent& out = args.extent;
  const ConvTile tile = TileOf(params, context.output().layout.shape, tools);
  const int64_t items = int64_t{out.images} * ((out.rows + tile.pixels - 1) / tile.pixels) * out.columns;
  Range range = LinearRange(items, tile.lanes, int64_t{tile.split} * layer->num_parts);
  range.local[1] = static_cast<size_t>(tile.split);
  const int staged =
      StagedColumns(tools.device->info(), ConvSizesOf(*params.layer, context.output().layout.shape), tile);
  const Defines defines{{"LANES", Text(tile.lanes)},
                        {"SPLIT", Text(tile.split)},
                        {"PIXELS", Text(tile.pixels)},
                        {"STAGED", Text(tools.tiles.staged != 0 ? staged : 0)},
                        {"ROW_STEP", Text(args.row_step)},
                        {"COLUMN_ROWS", Text(ColumnRows(*params.layer))},
                        {"TAP_STEP", Text(params.window.dilation_h * args.in.row)},
                        {"FILTERS", Text(PartFilters(*params.layer))}};
  Result<Launch> launch = MakeLaunch(tools, "conv.cl", "conv", defines, range, context.arena, context.arena,
                                     context.arena, layer->parts, layer->displacements, layer->values, args);
  if (launch.ok()) {
    launch->name =
        "conv g" + Text(params.layer->group_size) + " " + Text(tile.pixels) + " pixels, split " + Text(tile.split);
  }
  return AddLaunch(std::move(step), std::move(launch));
}

}  // namespace mcpruner::opencl
