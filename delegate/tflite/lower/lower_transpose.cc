#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "delegate/tflite/lower/lower.h"
#include "delegate/tflite/parse/rank_map.h"

namespace mcpruner {
namespace {

// Returns the order of four dimensions for that of a rank of at most four.
TransposeParams MapOrder(const Dims& order) {
  const size_t rank = order.size();
  TransposeParams params;
  for (size_t i = 0; i < rank; ++i) {
    params.order[MapAxis(rank, i)] = static_cast<int>(MapAxis(rank, static_cast<size_t>(order[i])));
  }
  return params;
}

// Joins axes that stay neighbours into one, and leaves axes of size 1 out: both change nothing in memory.
void JoinAxes(Dims* dims, Dims* order) {
  Dims axes, joined_into(dims->size(), -1), joined;  // axes: of the input, in the output's order
  for (const int axis : *order) {
    if ((*dims)[static_cast<size_t>(axis)] != 1) axes.push_back(axis);
  }
  // An axis follows another one where all between them have size 1.
  const auto follows = [&](int first, int second) {
    if (second <= first) return false;
    return std::all_of(dims->begin() + first + 1, dims->begin() + second, [](int dim) { return dim == 1; });
  };
  for (size_t axis = 0; axis < dims->size(); ++axis) {
    const auto place = std::find(axes.begin(), axes.end(), static_cast<int>(axis));
    if (place == axes.end()) continue;
    if (place != axes.begin() && follows(*(place - 1), *place)) {
      joined_into[axis] = joined_into[static_cast<size_t>(*(place - 1))];
      joined[static_cast<size_t>(joined_into[axis])] *= (*dims)[axis];
    } else {
      joined_into[axis] = static_cast<int>(joined.size());
      joined.push_back((*dims)[axis]);
    }
  }
  Dims new_order;
  for (const int axis : axes) {
    const int into = joined_into[static_cast<size_t>(axis)];
    if (new_order.empty() || new_order.back() != into) new_order.push_back(into);
  }
  *dims = joined;
  *order = new_order;
}

Dims Reordered(const Dims& dims, const Dims& order) {
  Dims out;
  for (const int axis : order) out.push_back(dims[static_cast<size_t>(axis)]);
  return out;
}

// Moves one axis after the other to its place: [.., A, axis, ..] -> [.., axis, A, ..], where A is all between.
Status MoveAxes(const NodePlan& plan, Dims dims, const Dims& order, GraphTensors* graph, Value* v) {
  Dims axes;  // of the input, as they stand now
  for (size_t i = 0; i < dims.size(); ++i) axes.push_back(static_cast<int>(i));
  for (size_t i = 0; i < order.size(); ++i) {
    const auto at = std::find(axes.begin(), axes.end(), order[i]);
    const size_t from = static_cast<size_t>(at - axes.begin());
    if (from == i) continue;
    Op op = OpOf(plan);
    op.params = TransposeParams{{0, 2, 1, 3}};
    const Result<Shape> view =
        CheckedShape({Product(dims, 0, i), Product(dims, i, from), dims[from], Product(dims, from + 1, dims.size())});
    MCPRUNER_RETURN_IF_ERROR(ApplyUnder(view, std::move(op), graph, v));
    std::rotate(axes.begin() + static_cast<ptrdiff_t>(i), at, at + 1);
    const auto moved = dims.begin() + static_cast<ptrdiff_t>(from);
    std::rotate(dims.begin() + static_cast<ptrdiff_t>(i), moved, moved + 1);
  }
  return Status::Ok();
}

Result<Dims> ResolveOrder(const Dims& listed, size_t rank) {
  std::vector<bool> seen(rank);
  Dims order;
  for (const int axis : listed) {
    const Result<size_t> counted = CountAxis(axis, rank);
    if (!counted.ok()) return counted.status();
    seen[*counted] = true;
    order.push_back(static_cast<int>(*counted));
  }
  if (order.size() == rank && std::all_of(seen.begin(), seen.end(), [](bool there) { return there; })) return order;
  return Status::Error("its order " + DimsText(listed) + " is none of " + std::to_string(rank) + " dimensions");
}

}  // namespace

Result<Value> LowerTranspose(const NodePlan& plan, const Value& x, GraphTensors* graph) {
  const Result<Dims> listed = ResolveOrder(std::get<AxisOrder>(plan.deferred).axes, x.dims.size());
  if (!listed.ok()) return listed.status();
  Value v = x;
  Dims dims = x.dims, order = *listed;
  const bool is_empty = std::find(dims.begin(), dims.end(), 0) != dims.end();
  if (dims.size() > kMaxMappedRank && !is_empty) JoinAxes(&dims, &order);
  if (order.size() <= kMaxMappedRank) {
    Op op = OpOf(plan);
    op.params = MapOrder(order);
    MCPRUNER_RETURN_IF_ERROR(ApplyUnder(MapDims(dims), std::move(op), graph, &v));
  } else {
    MCPRUNER_RETURN_IF_ERROR(MoveAxes(plan, dims, order, graph, &v));
  }
  v.dims = Reordered(x.dims, *listed);
  if (v.index == x.index) {  // an order that changes nothing
    const Result<int> same = graph->AppendReshape(x.index, graph->shape(x.index), plan.name);
    if (!same.ok()) return same.status();
    v.index = *same;
  }
  return v;
}

}  // namespace mcpruner
