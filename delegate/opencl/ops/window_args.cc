#include "delegate/opencl/ops/window_args.h"

namespace mcpruner::opencl {

WindowArgs WindowArgsOf(const StepContext& context, const Window& window) {
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

}  // namespace mcpruner::opencl
