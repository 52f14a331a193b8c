#include <string>
#include <utility>
#include <vector>

#include "delegate/opencl/ops/layer_buffers.h"
#include "delegate/opencl/ops/step.h"

namespace mcpruner::opencl {
namespace {

// Up to this many rows of the input share a reading of the weights; each takes up to 4 sums in registers. Other numbers
// were not measured.
constexpr int kMaxRows = 4;

// Returns the displacements of the elements of an image in NHWC order.
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

// Returns the lanes of a work-group: as many as have kLeastTaps taps each, so that a lane is worth its place in the
// final sum. On an H200, VGG-16's first fully-connected layer takes 106 us with 256 lanes and 222 us with 64
// (docs/opencl.md); other values of kLeastTaps were not measured.
int DenseLanes(const SparseLayer& layer, const DeviceInfo& device) {
  constexpr int kLeastLanes = 64, kMostLanes = 256, kLeastTaps = 16;
  int lanes = kLeastLanes;
  while (lanes < kMostLanes && lanes * 2 <= device.max_work_group && MostTaps(layer) / (lanes * 2) >= kLeastTaps) {
    lanes *= 2;
  }
  return lanes;
}

}  // namespace

Result<Step> MakeFullyConnectedStep(const StepContext& context) {
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
  const Defines defines{{"LANES", std::to_string(lanes)},
                        {"ROWS", std::to_string(rows)},
                        {"FILTERS", std::to_string(PartFilters(*layer))}};
  Result<Launch> launch =
      MakeLaunch(context.tools, "fully_connected.cl", "fully_connected", defines, range, context.arena, context.arena,
                 buffers->parts, buffers->displacements, buffers->values, args);
  return AddLaunch(std::move(step), std::move(launch));
}

}  // namespace mcpruner::opencl
