#include <algorithm>
#include <string>
#include <utility>

#include "delegate/tflite/lower/lower.h"
#include "delegate/tflite/parse/rank_map.h"

namespace mcpruner {
namespace {

// Returns the new shape with its -1 resolved. The graph checks whether the number of elements fits.
Dims ResolveReshape(int64_t elements, Dims dims) {
  int64_t known = 1;
  for (const int d : dims) known = d < 0 ? known : std::min<int64_t>(known * d, kMaxElements);
  for (int& d : dims) {
    if (d < 0) d = known > 0 ? static_cast<int>(elements / known) : 0;
  }
  return dims;
}

// An AxisSlice says where a slice begins on an axis of `size` elements, its step, and how many elements it takes.
struct AxisSlice {
  int begin, stride, count;
};
AxisSlice ResolveSlice(const SliceBounds& bounds, size_t axis, int64_t size) {
  const auto wrap = [size](int64_t v) { return std::clamp<int64_t>(v < 0 ? v + size : v, 0, size); };
  if (axis >= bounds.begin.size()) return {0, 1, static_cast<int>(size)};
  const int64_t begin = ((bounds.begin_mask >> axis) & 1) != 0 ? 0 : wrap(bounds.begin[axis]);
  const int64_t end = ((bounds.end_mask >> axis) & 1) != 0 ? size : wrap(bounds.end[axis]);
  const int stride = bounds.stride[axis];
  const int64_t count = end > begin ? (end - begin + stride - 1) / stride : 0;
  return {static_cast<int>(begin), stride, static_cast<int>(count)};
}

StridedSliceParams WholeSlice(const Shape& x) {
  StridedSliceParams params;
  params.size = {x.n, x.h, x.w, x.c};
  return params;
}

void SetAxis(const AxisSlice& slice, size_t axis, StridedSliceParams* params) {
  params->begin[axis] = slice.begin;
  params->stride[axis] = slice.stride;
  params->size[axis] = slice.count;
}

// Slices a tensor of more than four dimensions axis by axis.
Status SliceAxes(const NodePlan& plan, GraphTensors* graph, Value* v) {
  for (size_t i = 0; i < v->dims.size(); ++i) {
    const AxisSlice slice = ResolveSlice(std::get<SliceBounds>(plan.deferred), i, v->dims[i]);
    const Result<Shape> view = AroundAxes(v->dims, i, i + 1);
    if (!view.ok()) return view.status();
    StridedSliceParams params = WholeSlice(*view);
    SetAxis(slice, 2, &params);
    Op op = OpOf(plan);
    op.params = params;
    MCPRUNER_RETURN_IF_ERROR(ApplyUnder(view, std::move(op), graph, v));
    v->dims[i] = slice.count;
  }
  return Status::Ok();
}

// Pads a tensor of more than four dimensions axis by axis.
Status PadAxes(const NodePlan& plan, GraphTensors* graph, Value* v) {
  const auto& paddings = std::get<Paddings>(plan.deferred);
  for (size_t i = 0; i < v->dims.size(); ++i) {
    PadParams params;
    params.before[2] = paddings.before[i];
    params.after[2] = paddings.after[i];
    params.value = paddings.value;
    Op op = OpOf(plan);
    op.params = params;
    MCPRUNER_RETURN_IF_ERROR(ApplyUnder(AroundAxes(v->dims, i, i + 1), std::move(op), graph, v));
    v->dims[i] += paddings.before[i] + paddings.after[i];
  }
  return Status::Ok();
}

}  // namespace

Result<size_t> CountAxis(int axis, size_t rank) {
  const int signed_rank = static_cast<int>(rank);
  const int counted = axis < 0 ? axis + signed_rank : axis;
  if (counted >= 0 && counted < signed_rank) return static_cast<size_t>(counted);
  return Status::Error("its axis " + std::to_string(axis) + " is out of range for " + std::to_string(rank) +
                       " dimensions");
}

Status ApplyUnder(const Result<Shape>& view, Op op, GraphTensors* graph, Value* v) {
  if (!view.ok()) return view.status();
  const Result<int> x = graph->As(*v, *view, op.name);
  if (!x.ok()) return x.status();
  op.inputs = {*x};
  const Result<int> made = graph->Append(std::move(op));
  if (!made.ok()) return made.status();
  v->index = *made;
  return Status::Ok();
}

Result<Value> LowerPad(const NodePlan& plan, const Value& x, GraphTensors* graph) {
  const auto& paddings = std::get<Paddings>(plan.deferred);
  const size_t rank = x.dims.size();
  if (paddings.before.size() != rank || rank == 0) {
    return Status::Error("expected 2 paddings for each of " + std::to_string(rank) + " dimensions, got " +
                         std::to_string(2 * paddings.before.size()));
  }
  Value v = x;
  if (rank > kMaxMappedRank) {
    MCPRUNER_RETURN_IF_ERROR(PadAxes(plan, graph, &v));
    return v;
  }
  PadParams params;
  params.value = paddings.value;
  for (size_t i = 0; i < rank; ++i) {
    params.before[MapAxis(rank, i)] = paddings.before[i];
    params.after[MapAxis(rank, i)] = paddings.after[i];
  }
  Op op = OpOf(plan);
  op.params = params;
  MCPRUNER_RETURN_IF_ERROR(ApplyUnder(MapDims(x.dims), std::move(op), graph, &v));
  for (size_t i = 0; i < rank; ++i) v.dims[i] += paddings.before[i] + paddings.after[i];
  return v;
}

Result<Value> LowerSlice(const NodePlan& plan, const Value& x, GraphTensors* graph) {
  const auto& bounds = std::get<SliceBounds>(plan.deferred);
  const size_t rank = x.dims.size();
  if (bounds.begin.size() > rank) {
    return Status::Error("its lists have " + std::to_string(bounds.begin.size()) + " entries for " +
                         std::to_string(rank) + " dimensions");
  }
  Value v = x;
  if (rank > kMaxMappedRank) {
    MCPRUNER_RETURN_IF_ERROR(SliceAxes(plan, graph, &v));
    return v;
  }
  StridedSliceParams params = WholeSlice(graph->shape(x.index));
  for (size_t i = 0; i < rank; ++i) {
    const AxisSlice slice = ResolveSlice(bounds, i, x.dims[i]);
    SetAxis(slice, MapAxis(rank, i), &params);
    v.dims[i] = slice.count;
  }
  Op op = OpOf(plan);
  op.params = params;
  MCPRUNER_RETURN_IF_ERROR(ApplyUnder(MapDims(x.dims), std::move(op), graph, &v));
  return v;
}

Result<Value> LowerConcat(const NodePlan& plan, const std::vector<Value>& parts, GraphTensors* graph) {
  Dims dims = parts[0].dims;
  const size_t rank = dims.size();
  const Result<size_t> axis = CountAxis(std::get<ConcatAxis>(plan.deferred).axis, rank);
  if (!axis.ok()) return axis.status();
  Op op = OpOf(plan);
  op.params = ConcatParams{rank > kMaxMappedRank ? 2 : static_cast<int>(MapAxis(rank, *axis))};
  int64_t total = 0;
  for (const Value& part : parts) {
    if (part.dims.size() != rank) return Status::Error("its inputs differ in rank");
    for (size_t i = 0; i < rank; ++i) {
      if (i != *axis && part.dims[i] != dims[i]) {
        return Status::Error("its inputs " + DimsText(dims) + " and " + DimsText(part.dims) +
                             " differ outside of axis " + std::to_string(*axis));
      }
    }
    const Result<Shape> view = rank > kMaxMappedRank ? AroundAxes(part.dims, *axis, *axis + 1) : MapDims(part.dims);
    if (!view.ok()) return view.status();
    const Result<int> index = graph->As(part, *view, plan.name);
    if (!index.ok()) return index.status();
    op.inputs.push_back(*index);
    total += part.dims[*axis];
  }
  const Result<int> made = graph->Append(std::move(op));
  if (!made.ok()) return made.status();
  dims[*axis] = static_cast<int>(total);
  return Value{dims, *made, nullptr};
}

Result<Value> LowerReshape(const NodePlan& plan, const Value& x, GraphTensors* graph) {
  const Dims dims = ResolveReshape(graph->shape(x.index).size(), std::get<NewShape>(plan.deferred).dims);
  const Result<Shape> shape = MapDims(dims);
  if (!shape.ok()) return shape.status();
  const Result<int> made = graph->AppendReshape(x.index, *shape, plan.name);
  if (!made.ok()) return made.status();
  return Value{dims, *made, nullptr};
}

}  // namespace mcpruner
