// These are the steps of ops that only move elements, and the conversions at a graph's ends.

#include "delegate/opencl/ops/copy/copy_step.h"

#include <array>
#include <utility>

namespace mcpruner::opencl {
namespace {

Map NhwcMap(const Shape& shape) { return {0, shape.h * shape.w * shape.c, 1, shape.w * shape.c, shape.c}; }

Range ElementRange(const Shape& shape) { return LinearRange(shape.size(), kElementLanes); }

// Returns a map that begins at the given element of `map`.
Map Beginning(Map map, const std::array<int, 4>& nhwc) {
  map.origin += nhwc[0] * map.image + nhwc[1] * map.row + nhwc[2] * map.column + nhwc[3] * map.channel;
  return map;
}

}  // namespace

Result<Launch> MakePack(const DeviceTools& tools, cl_mem nhwc, const PlaneTensor& tensor, cl_mem arena) {
  const Shape& shape = tensor.layout.shape;
  return MakeLaunch(tools, "copy.cl", "pack", {}, ElementRange(shape), nhwc, arena, NhwcMap(shape), tensor.map(),
                    ExtentOf(shape));
}

Result<Launch> MakeUnpack(const DeviceTools& tools, const PlaneTensor& tensor, cl_mem arena, cl_mem nhwc) {
  const Shape& shape = tensor.layout.shape;
  return MakeLaunch(tools, "copy.cl", "unpack", {}, ElementRange(shape), arena, nhwc, tensor.map(), NhwcMap(shape),
                    ExtentOf(shape));
}

Result<Step> MakePadStep(const StepContext& context) {
  const auto& params = std::get<PadParams>(context.op.params);
  const Shape& out = context.output().layout.shape;
  const Extent before{params.before[0], params.before[3], params.before[1], params.before[2]};
  return OneLaunch(MakeLaunch(context.tools, "copy.cl", "pad", {}, ElementRange(out), context.arena, context.arena,
                              context.input().map(), context.output().map(), ExtentOf(context.input().layout.shape),
                              ExtentOf(out), before, params.value));
}

Result<Step> MakeMirrorPadStep(const StepContext& context) {
  const auto& params = std::get<MirrorPadParams>(context.op.params);
  const Shape& out = context.output().layout.shape;
  const Extent before{params.before[0], params.before[3], params.before[1], params.before[2]};
  return OneLaunch(MakeLaunch(context.tools, "copy.cl", "mirror_pad", {}, ElementRange(out), context.arena,
                              context.arena, context.input().map(), context.output().map(),
                              ExtentOf(context.input().layout.shape), ExtentOf(out), before, params.with_edge ? 1 : 0));
}

Result<Step> MakeConcatStep(const StepContext& context) {
  const auto axis = static_cast<size_t>(std::get<ConcatParams>(context.op.params).axis);
  Step step;
  std::array<int, 4> begin{};  // where the current input begins within the output
  for (size_t i = 0; i < context.op.inputs.size(); ++i) {
    const Shape& in = context.input(i).layout.shape;
    Result<Launch> launch =
        MakeLaunch(context.tools, "copy.cl", "copy", {}, ElementRange(in), context.arena, context.arena,
                   context.input(i).map(), Beginning(context.output().map(), begin), ExtentOf(in));
    if (!launch.ok()) return launch.status();
    step.launches.push_back(std::move(*launch));
    begin[axis] += std::array<int, 4>{in.n, in.h, in.w, in.c}[axis];
  }
  return step;
}

Result<Step> MakeBlocksStep(const StepContext& context) {
  const Map from = context.input().map(), to = context.output().map();
  if (context.op.type == OpType::kDepthToSpace) {
    const auto& params = std::get<DepthToSpaceParams>(context.op.params);
    const Shape& flat = context.output().layout.shape;
    const Extent block{1, 1, params.block_height, params.block_width};
    return OneLaunch(MakeLaunch(context.tools, "copy.cl", "depth_to_space", {}, ElementRange(flat), context.arena,
                                context.arena, from, to, ExtentOf(flat), block, ClampOf(context.op.activation)));
  }
  const int size = std::get<SpaceToDepthParams>(context.op.params).block_size;
  const Shape& flat = context.input().layout.shape;
  return OneLaunch(MakeLaunch(context.tools, "copy.cl", "space_to_depth", {}, ElementRange(flat), context.arena,
                              context.arena, from, to, ExtentOf(flat), Extent{1, 1, size, size}));
}

Result<Step> MakeReshapeStep(const StepContext& context) {
  const Shape& out = context.output().layout.shape;
  return OneLaunch(MakeLaunch(context.tools, "copy.cl", "reshape", {}, ElementRange(out), context.arena, context.arena,
                              context.input().map(), context.output().map(), ExtentOf(context.input().layout.shape),
                              ExtentOf(out)));
}

Result<Step> MakeStridedSliceStep(const StepContext& context) {
  const auto& params = std::get<StridedSliceParams>(context.op.params);
  const Shape& out = context.output().layout.shape;
  Map from = Beginning(context.input().map(), params.begin);
  // A stride that no second element needs may be any number.
  const auto step = [&](size_t axis) { return params.size[axis] > 1 ? params.stride[axis] : 0; };
  from.image *= step(0);
  from.row *= step(1);
  from.column *= step(2);
  from.channel *= step(3);
  return OneLaunch(MakeLaunch(context.tools, "copy.cl", "copy", {}, ElementRange(out), context.arena, context.arena,
                              from, context.output().map(), ExtentOf(out)));
}

Result<Step> MakeTransposeStep(const StepContext& context) {
  const auto& order = std::get<TransposeParams>(context.op.params).order;
  const Shape& out = context.output().layout.shape;
  const Map in = context.input().map();
  const std::array<int, 4> strides{in.image, in.row, in.column, in.channel};
  const auto stride = [&](size_t i) { return strides[static_cast<size_t>(order[i])]; };
  const Map from{in.origin, stride(0), stride(3), stride(1), stride(2)};
  return OneLaunch(MakeLaunch(context.tools, "copy.cl", "copy", {}, ElementRange(out), context.arena, context.arena,
                              from, context.output().map(), ExtentOf(out)));
}

// A launch copies the channels of one group.
Result<Step> MakeShuffleStep(const StepContext& context) {
  const int groups = std::get<ShuffleParams>(context.op.params).groups;
  Shape group = context.output().layout.shape;
  group.c /= groups;
  Step step;
  for (int i = 0; i < groups; ++i) {
    Map to = Beginning(context.output().map(), {0, 0, 0, i});
    to.channel *= groups;
    Result<Launch> launch =
        MakeLaunch(context.tools, "copy.cl", "copy", {}, ElementRange(group), context.arena, context.arena,
                   Beginning(context.input().map(), {0, 0, 0, i * group.c}), to, ExtentOf(group));
    if (!launch.ok()) return launch.status();
    step.launches.push_back(std::move(*launch));
  }
  return step;
}

}  // namespace mcpruner::opencl
