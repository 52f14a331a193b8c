#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "delegate/tflite/lower/lower.h"
#include "delegate/tflite/parse/rank_map.h"

namespace mcpruner {
namespace {

// An AxisSlice says where a slice begins on an axis, its step, and how many elements it takes.
struct AxisSlice {
  int begin, stride, count;
};
AxisSlice Whole(int size) { return {0, 1, size}; }

// A Slice has an AxisSlice for each axis of the input, and the dims that the output has in TFLite.
struct Slice {
  std::vector<AxisSlice> axes;
  Dims out;
};

bool HasBit(int mask, size_t bit) { return ((mask >> bit) & 1) != 0; }

// Resolves element `i` of the lists for an axis of `size` elements.
AxisSlice ResolveEntry(const SliceBounds& bounds, size_t i, int64_t size) {
  const int64_t stride = bounds.stride[i];
  const int64_t low = stride > 0 ? 0 : -1, high = low + size;
  const auto wrap = [&](int64_t v) { return v < 0 ? v + size : v; };
  if (HasBit(bounds.shrink_axis_mask, i)) return {static_cast<int>(std::max<int64_t>(wrap(bounds.begin[i]), -1)), 1, 1};
  const int64_t first = stride > 0 ? low : high, last = stride > 0 ? high : low;
  const int64_t begin = HasBit(bounds.begin_mask, i) ? first : std::clamp(wrap(bounds.begin[i]), low, high);
  const int64_t end = HasBit(bounds.end_mask, i) ? last : std::clamp(wrap(bounds.end[i]), low, high);
  const int64_t distance = stride > 0 ? end - begin : begin - end;
  if (distance <= 0) return {0, 1, 0};
  const int64_t step = stride > 0 ? stride : -stride;
  return {static_cast<int>(begin), static_cast<int>(stride), static_cast<int>((distance + step - 1) / step)};
}

Result<Slice> ResolveBounds(const SliceBounds& bounds, const Dims& dims) {
  size_t entries = 0;  // that are about axes of the input
  for (size_t i = 0; i < bounds.begin.size(); ++i) {
    if (!HasBit(bounds.new_axis_mask, i) && !HasBit(bounds.ellipsis_mask, i)) ++entries;
  }
  if (entries > dims.size()) {
    return Status::Error("its lists have " + std::to_string(entries) + " entries for " + std::to_string(dims.size()) +
                         " dimensions");
  }
  Slice slice;
  const auto take = [&](const AxisSlice& axis) {
    slice.axes.push_back(axis);
    slice.out.push_back(axis.count);
  };
  for (size_t i = 0; i < bounds.begin.size(); ++i) {
    if (HasBit(bounds.new_axis_mask, i)) {
      slice.out.push_back(1);
    } else if (HasBit(bounds.ellipsis_mask, i)) {
      for (size_t k = entries; k < dims.size(); ++k) take(Whole(dims[slice.axes.size()]));
    } else {
      take(ResolveEntry(bounds, i, dims[slice.axes.size()]));
      if (HasBit(bounds.shrink_axis_mask, i)) slice.out.pop_back();
    }
  }
  while (slice.axes.size() < dims.size()) take(Whole(dims[slice.axes.size()]));
  return slice;
}

// Returns where a part begins on an axis of `size` elements, and how many it has.
Result<AxisSlice> ResolvePart(const AxisPart& part, int size) {
  if (part.sizes.empty()) {
    if (size % part.count != 0 || (part.drops_axis && size != part.count)) {
      return Status::Error("its axis of " + std::to_string(size) + " elements is not " + std::to_string(part.count) +
                           (part.drops_axis ? " of them" : " equal parts"));
    }
    return AxisSlice{size / part.count * part.index, 1, size / part.count};
  }
  std::vector<int64_t> sizes(part.sizes.begin(), part.sizes.end());
  const auto unknown = std::find(sizes.begin(), sizes.end(), -1);
  if (unknown != sizes.end()) *unknown = size - (std::accumulate(sizes.begin(), sizes.end(), int64_t{0}) + 1);
  if (std::accumulate(sizes.begin(), sizes.end(), int64_t{0}) != size ||
      *std::min_element(sizes.begin(), sizes.end()) < 0) {
    return Status::Error("its parts " + DimsText(part.sizes) + " do not make an axis of " + std::to_string(size) +
                         " elements");
  }
  const auto own = sizes.begin() + part.index;
  return AxisSlice{static_cast<int>(std::accumulate(sizes.begin(), own, int64_t{0})), 1, static_cast<int>(*own)};
}

Result<Slice> SliceOfPart(const AxisPart& part, const Dims& dims) {
  const Result<size_t> axis = CountAxis(part.axis, dims.size());
  if (!axis.ok()) return axis.status();
  const Result<AxisSlice> own = ResolvePart(part, dims[*axis]);
  if (!own.ok()) return own.status();
  Slice slice;
  for (size_t i = 0; i < dims.size(); ++i) {
    slice.axes.push_back(i == *axis ? *own : Whole(dims[i]));
    if (i != *axis || !part.drops_axis) slice.out.push_back(slice.axes.back().count);
  }
  return slice;
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
Status SliceAxes(const NodePlan& plan, const std::vector<AxisSlice>& axes, GraphTensors* graph, Value* v) {
  for (size_t i = 0; i < axes.size(); ++i) {
    const Result<Shape> view = AroundAxes(v->dims, i, i + 1);
    if (!view.ok()) return view.status();
    StridedSliceParams params = WholeSlice(*view);
    SetAxis(axes[i], 2, &params);
    Op op = OpOf(plan);
    op.params = params;
    MCPRUNER_RETURN_IF_ERROR(ApplyUnder(view, std::move(op), graph, v));
    v->dims[i] = axes[i].count;
  }
  return Status::Ok();
}

}  // namespace

Result<Value> LowerSlice(const NodePlan& plan, const Value& x, GraphTensors* graph) {
  const auto* part = std::get_if<AxisPart>(&plan.deferred);
  const Result<Slice> slice =
      part != nullptr ? SliceOfPart(*part, x.dims) : ResolveBounds(std::get<SliceBounds>(plan.deferred), x.dims);
  if (!slice.ok()) return slice.status();
  const size_t rank = x.dims.size();
  Value v = x;
  if (rank > kMaxMappedRank) {
    MCPRUNER_RETURN_IF_ERROR(SliceAxes(plan, slice->axes, graph, &v));
  } else {
    StridedSliceParams params = WholeSlice(graph->shape(x.index));
    for (size_t i = 0; i < rank; ++i) SetAxis(slice->axes[i], MapAxis(rank, i), &params);
    Op op = OpOf(plan);
    op.params = params;
    MCPRUNER_RETURN_IF_ERROR(ApplyUnder(MapDims(x.dims), std::move(op), graph, &v));
  }
  v.dims = slice->out;
  return v;
}

}  // namespace mcpruner
