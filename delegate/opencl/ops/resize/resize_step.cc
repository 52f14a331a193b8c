#include <vector>

#include "delegate/graph/resize_axis.h"
#include "delegate/opencl/ops/step.h"

namespace mcpruner::opencl {

Result<Step> MakeResizeStep(const StepContext& context) {
  const auto& params = std::get<ResizeParams>(context.op.params);
  const Shape& in = context.input().layout.shape;
  const Shape& out = context.output().layout.shape;
  const ResizeAxis rows(context.op.type, params, in.h, out.h), columns(context.op.type, params, in.w, out.w);
  std::vector<ResizeSource> sources;
  for (int y = 0; y < out.h; ++y) sources.push_back(rows.At(y));
  for (int x = 0; x < out.w; ++x) sources.push_back(columns.At(x));
  Step step;
  const Result<cl_mem> table = AddTable(*context.tools.device, sources, &step);
  if (!table.ok()) return table.status();
  Result<Launch> launch =
      MakeLaunch(context.tools, "resize.cl", "resize", {}, LinearRange(out.size(), kElementLanes), context.arena,
                 context.arena, *table, context.input().map(), context.output().map(), ExtentOf(out));
  return AddLaunch(std::move(step), std::move(launch));
}

}  // namespace mcpruner::opencl
