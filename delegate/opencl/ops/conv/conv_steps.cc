// Convolutions and fully-connected layers: everything that multiplies by a SparseLayer; depthwise convolutions too.

#include <algorithm>
#include <limits>

#include "delegate/opencl/ops/steps.h"
#include "delegate/opencl/plan/packed_layer.h"

namespace mcpruner::opencl {
namespace {

constexpr int kMaxRows = 4;  // of a fully-connected layer's input that share a reading of the weights
constexpr int kDepthwisePixels = 4;

std::string Text(int value) { return std::to_string(value); }

// The windows of an op, over the zeros around its input.
WindowArgs WindowsOf(const StepContext& context, const Window& window) {
  WindowArgs args{};
  args.in = context.input().map();
  args.in.origin -= window.padding.top * args.in.row + window.padding.left;
  args.out = context.output().map();
  args.extent = ExtentOf(context.output().layout.shape);
  // A stride that no second window needs may be any number.
  args.row_step = args.extent.rows > 1 ? window.stride_h * args.in.row : 0;
  args.column_step = args.extent.columns > 1 ? window.stride_w : 0;
  args.clamp = ClampOf(context.op.activation);
  return args;
}

std::vector<int> Multiples(int count, int stride) {
  std::vector<int> multiples;
  for (int i = 0; i < count; ++i) multiples.push_back(i * stride);
  return multiples;
}

// Displacements of a kernel's positions from a window's first element.
std::vector<int> Positions(const SparseLayer& layer, const Window& window, int pitch) {
  std::vector<int> positions;
  for (int ky = 0; ky < layer.kernel_height; ++ky) {
    for (int kx = 0; kx < layer.kernel_width; ++kx) {
      positions.push_back(ky * window.dilation_h * pitch + kx * window.dilation_w);
    }
  }
  return positions;
}

// Displacements of the elements of an image in NHWC order.
std::vector<int> NhwcElements(const PlaneTensor& tensor) {
  const Map map = tensor.map();
  const Shape& shape = tensor.layout.shape;
  std::vector<int> elements;
  for (int y = 0; y < shape.h; ++y) {
    for (int x = 0; x < shape.w; ++x) {
      for (int c = 0; c < shape.c; ++c) elements.push_back(c * map.channel + y * map.row + x);
    }
  }
  return elements;
}

// What the kernels of layers read, in the order of their arguments.
struct LayerBuffers {
  cl_mem parts, displacements, values;
  int num_parts;
};

Result<LayerBuffers> AddLayer(const StepContext& context, const std::shared_ptr<const SparseLayer>& layer,
                              const PackedTaps& taps, Step* step) {
  const DeviceTools& tools = context.tools;
  const auto weights = tools.weights->Get(*tools.device, tools.precision, layer);
  if (!weights.ok()) return weights.status();
  const int64_t values = (*weights)->bytes / ElementBytes(tools.precision);
  if (std::max(values, static_cast<int64_t>(taps.displacements.size())) > std::numeric_limits<int32_t>::max()) {
    return Status::Error("its " + std::to_string(values) + " weights are more than a device's kernels can number");
  }
  step->weights.push_back(*weights);
  const Result<cl_mem> parts = AddTable(*tools.device, taps.parts, step);
  if (!parts.ok()) return parts.status();
  const Result<cl_mem> displacements = AddTable(*tools.device, taps.displacements, step);
  if (!displacements.ok()) return displacements.status();
  return LayerBuffers{*parts, *displacements, (*weights)->buffer.get(), static_cast<int>(taps.parts.size())};
}

// Measured, else by the table.
ConvTile TileOf(const ConvParams& conv, const Shape& out, const DeviceTools& tools) {
  if (tools.conv_tile) return *tools.conv_tile;
  if (const std::optional<ConvTile> tuned = tools.tuned->Load(conv, out)) return *tuned;
  return ChooseConvTile(tools.tiles, tools.device->info(), WorkOf(*conv.layer, out));
}

// Of a fully-connected layer's work-groups: a lane has taps enough to be worth its place in the final sum.
int DenseLanes(const SparseLayer& layer, const DeviceInfo& device) {
  constexpr int kLeastLanes = 64, kMostLanes = 256, kLeastTaps = 16;
  int lanes = kLeastLanes;
  while (lanes < kMostLanes && lanes * 2 <= device.max_work_group && MostTaps(layer) / (lanes * 2) >= kLeastTaps) {
    lanes *= 2;
  }
  return lanes;
}

// `launch` is made beforehand, not in the same call: its arguments may be read from `step`, and the order in which a
// call's arguments are evaluated is the compiler's.
Result<Step> Finished(Step step, Result<Launch> launch) {
  if (!launch.ok()) return launch.status();
  step.launches.push_back(std::move(*launch));
  return step;
}

}  // namespace

Result<Step> MakeConv(const StepContext& context) {
  const auto& params = std::get<ConvParams>(context.op.params);
  const DeviceTools& tools = context.tools;
  WindowArgs args = WindowsOf(context, params.window);
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
  const int staged = StagedColumns(tools.device->info(), WorkOf(*params.layer, context.output().layout.shape), tile);
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
  return Finished(std::move(step), std::move(launch));
}

Result<Step> MakeDepthwise(const StepContext& context) {
  const auto& params = std::get<DepthwiseParams>(context.op.params);
  const DeviceTools& tools = context.tools;
  const WindowArgs args = WindowsOf(context, params.window);
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
  const int pixels = std::min(kDepthwisePixels, out.rows);
  const int64_t items = int64_t{out.images} * ((out.rows + pixels - 1) / pixels) * out.columns;
  const Defines defines{{"LANES", Text(tools.tiles.lanes)}, {"PIXELS", Text(pixels)}};
  Result<Launch> launch =
      MakeLaunch(tools, "depthwise.cl", "depthwise", defines, LinearRange(items, tools.tiles.lanes, out.channels),
                 context.arena, context.arena, step.weights[0]->buffer.get(), *bias, args, depthwise);
  return Finished(std::move(step), std::move(launch));
}

Result<Step> MakeFullyConnected(const StepContext& context) {
  const auto& layer = std::get<FullyConnectedParams>(context.op.params).layer;
  WindowArgs args{};
  args.in = context.input().map();
  args.out = context.output().map();
  args.extent = ExtentOf(context.output().layout.shape);
  args.clamp = ClampOf(context.op.activation);
  Step step;
  const auto buffers = AddLayer(context, layer, PackTaps(*layer, NhwcElements(context.input()), {0}), &step);
  if (!buffers.ok()) return buffers.status();
  const int rows = args.extent.images >= kMaxRows ? kMaxRows : 1;
  const int lanes = DenseLanes(*layer, context.tools.device->info());
  const Range range = LinearRange(int64_t{(args.extent.images + rows - 1) / rows} * lanes, lanes, buffers->num_parts);
  const Defines defines{{"LANES", Text(lanes)}, {"ROWS", Text(rows)}, {"FILTERS", Text(PartFilters(*layer))}};
  Result<Launch> launch =
      MakeLaunch(context.tools, "fully_connected.cl", "fully_connected", defines, range, context.arena, context.arena,
                 buffers->parts, buffers->displacements, buffers->values, args);
  return Finished(std::move(step), std::move(launch));
}

}  // namespace mcpruner::opencl
