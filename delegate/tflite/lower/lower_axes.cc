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

// Returns the dims without the axes that a SQUEEZE takes away.
Result<Dims> SqueezeDims(const Dims& dims, const Dims& axes) {
  std::vector<bool> gone(dims.size());
  for (const int axis : axes) {
    const Result<size_t> counted = CountAxis(axis, dims.size());
    if (!counted.ok()) return counted.status();
    gone[*counted] = true;
    if (dims[*counted] != 1)
      return Status::Error("its axis " + std::to_string(axis) + " of " + DimsText(dims) + " is not 1");
  }
  Dims left;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (axes.empty() ? dims[i] != 1 : !gone[i]) left.push_back(dims[i]);
  }
  return left;
}

// Returns the dims with an axis of size 1 more, whose place a negative number counts from the end of the result.
Result<Dims> AddAxis(Dims dims, int axis) {
  const Result<size_t> counted = CountAxis(axis, dims.size() + 1);
  if (!counted.ok()) return counted.status();
  dims.insert(dims.begin() + static_cast<ptrdiff_t>(*counted), 1);
  return dims;
}

Result<Dims> ReshapedDims(const NodePlan& plan, const Dims& dims, int64_t elements) {
  if (const auto* squeezed = std::get_if<SqueezedAxes>(&plan.deferred)) return SqueezeDims(dims, squeezed->axes);
  if (const auto* added = std::get_if<AddedAxis>(&plan.deferred)) return AddAxis(dims, added->axis);
  return ResolveReshape(elements, std::get<NewShape>(plan.deferred).dims);
}

// Returns the parameters of a padding op, given amounts for N, H, W and C.
OpParams PaddingOf(const NodePlan& plan, const std::array<int, 4>& before, const std::array<int, 4>& after) {
  const auto& paddings = std::get<Paddings>(plan.deferred);
  if (plan.type == OpType::kMirrorPad) return MirrorPadParams{before, after, paddings.with_edge};
  return PadParams{before, after, paddings.value};
}

// Pads a tensor of more than four dimensions axis by axis.
Status PadAxes(const NodePlan& plan, GraphTensors* graph, Value* v) {
  const auto& paddings = std::get<Paddings>(plan.deferred);
  for (size_t i = 0; i < v->dims.size(); ++i) {
    Op op = OpOf(plan);
    op.params = PaddingOf(plan, {0, 0, paddings.before[i], 0}, {0, 0, paddings.after[i], 0});
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
  std::array<int, 4> before{}, after{};
  for (size_t i = 0; i < rank; ++i) {
    before[MapAxis(rank, i)] = paddings.before[i];
    after[MapAxis(rank, i)] = paddings.after[i];
  }
  Op op = OpOf(plan);
  op.params = PaddingOf(plan, before, after);
  MCPRUNER_RETURN_IF_ERROR(ApplyUnder(MapDims(x.dims), std::move(op), graph, &v));
  for (size_t i = 0; i < rank; ++i) v.dims[i] += paddings.before[i] + paddings.after[i];
  return v;
}

Result<Value> LowerConcat(const NodePlan& plan, std::vector<Value> parts, GraphTensors* graph) {
  int listed = 0;
  if (const auto* added = std::get_if<AddedAxis>(&plan.deferred)) {
    listed = added->axis;
    for (Value& part : parts) {
      const Result<Dims> dims = AddAxis(part.dims, listed);
      if (!dims.ok()) return dims.status();
      part.dims = *dims;
    }
  } else {
    listed = std::get<ConcatAxis>(plan.deferred).axis;
  }
  Dims dims = parts[0].dims;
  const size_t rank = dims.size();
  const Result<size_t> axis = CountAxis(listed, rank);
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
  const Result<Dims> dims = ReshapedDims(plan, x.dims, graph->shape(x.index).size());
  if (!dims.ok()) return dims.status();
  const Result<Shape> shape = MapDims(*dims);
  if (!shape.ok()) return shape.status();
  // It is a tensor of its own, even where it is the one before other reshapes: the caller may read both.
  const Result<int> made = graph->AppendReshape(graph->BeforeReshapes(x.index), *shape, plan.name);
  if (!made.ok()) return made.status();
  return Value{*dims, *made, nullptr};
}

}  // namespace mcpruner
