#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "delegate/tflite/lower/lower.h"
#include "delegate/tflite/parse/rank_map.h"

namespace mcpruner {
namespace {

using Run = GatheredAxis::Run;

int64_t LastOf(const Run& run) { return run.begin + int64_t{run.count - 1} * run.stride; }

// Returns the bounds of a slice that takes a run of one axis, whose indices lie in the tensor, and all of the others.
SliceBounds BoundsOf(const Run& run, size_t axis) {
  const int whole_axes = (1 << axis) - 1;
  SliceBounds bounds{Dims(axis + 1), Dims(axis + 1), Dims(axis + 1, 1), whole_axes, whole_axes};
  bounds.begin[axis] = run.begin;
  bounds.stride[axis] = run.stride;
  // An end below 0 would count from the other side.
  const int64_t end = LastOf(run) + run.stride;
  bounds.end[axis] = static_cast<int>(std::clamp<int64_t>(end, 0, kMaxElements));
  if (end < 0) bounds.end_mask |= 1 << axis;
  return bounds;
}

}  // namespace

Result<Value> LowerGather(const NodePlan& plan, const Value& x, GraphTensors* graph) {
  const auto& gathered = std::get<GatheredAxis>(plan.deferred);
  const Result<size_t> axis = CountAxis(gathered.axis, x.dims.size());
  if (!axis.ok()) return axis.status();
  NodePlan slice = plan;
  std::vector<Value> parts;
  for (const Run& run : gathered.runs) {
    const int64_t largest = std::max<int64_t>(run.begin, LastOf(run));
    if (largest >= x.dims[*axis]) {
      return Status::Error("its index " + std::to_string(largest) + " is beyond its axis of " +
                           std::to_string(x.dims[*axis]) + " elements");
    }
    slice.deferred = BoundsOf(run, *axis);
    Result<Value> part = LowerSlice(slice, x, graph);
    if (!part.ok()) return part;
    parts.push_back(std::move(*part));
  }
  NodePlan join;
  join.type = OpType::kConcat;
  join.name = plan.name;
  join.deferred = ConcatAxis{static_cast<int>(*axis)};
  Result<Value> joined = parts.size() == 1 ? Result<Value>(parts[0]) : LowerConcat(join, parts, graph);
  if (!joined.ok()) return joined;
  Dims& dims = joined->dims;
  const auto place = dims.erase(dims.begin() + static_cast<ptrdiff_t>(*axis));
  dims.insert(place, gathered.dims.begin(), gathered.dims.end());
  return joined;
}

}  // namespace mcpruner
