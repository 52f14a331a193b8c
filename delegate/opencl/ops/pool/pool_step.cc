#include "delegate/opencl/ops/step.h"

namespace mcpruner::opencl {
Result<Step> MakePoolStep(const StepContext& context) {
  const auto& params = std::get<PoolParams>(context.op.params);
  const Shape& in = context.input().layout.shape;
  const Shape& out = context.output().layout.shape;
  PoolArgs args{};
  args.in = context.input().map();
  args.out = context.output().map();
  args.extent = ExtentOf(out);
  args.in_rows = in.h;
  args.in_columns = in.w;
  args.height = params.filter_height;
  args.width = params.filter_width;
  args.stride_h = params.window.stride_h;
  args.stride_w = params.window.stride_w;
  args.top = params.window.padding.top;
  args.left = params.window.padding.left;
  args.clamp = ClampOf(context.op.activation);
  const Defines defines{{"IS_MAX", context.op.type == OpType::kMaxPool ? "1" : "0"}};
  return OneLaunch(MakeLaunch(context.tools, "pool.cl", "pool", defines, LinearRange(out.size(), kElementLanes),
                              context.arena, context.arena, args));
}

}  // namespace mcpruner::opencl
