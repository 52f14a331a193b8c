#include <array>
#include <utility>
#include <vector>

#include "delegate/tflite/lower/lower.h"
#include "delegate/tflite/parse/rank_map.h"

namespace mcpruner {
namespace {

// Returns for each of TFLite's axes whether it is reduced.
Result<std::vector<bool>> ReducedAxes(const ReduceAxes& listed, size_t rank) {
  std::vector<bool> over(rank);
  for (const int axis : listed.axes) {
    const Result<size_t> counted = CountAxis(axis, rank);
    if (!counted.ok()) return counted.status();
    over[*counted] = true;
  }
  return over;
}

// Reduces `v` over some axes under the shape `view`, and sets their dims to 1.
Status ReduceUnder(const Result<Shape>& view, const ReduceParams& params, const NodePlan& plan, GraphTensors* graph,
                   Value* v) {
  Op op = OpOf(plan);
  op.params = params;
  return ApplyUnder(view, std::move(op), graph, v);
}

// Reduces axes that have dimensions of their own. The graph has no op over rows and channels.
Status ReduceImages(const NodePlan& plan, const std::vector<bool>& over, GraphTensors* graph, Value* v) {
  const size_t rank = v->dims.size();
  std::array<bool, 4> nhwc{};
  for (size_t i = 0; i < rank; ++i) nhwc[MapAxis(rank, i)] = over[i];
  const auto [images, rows, columns, channels] = nhwc;
  if (channels) {
    const ReduceParams of_rows{false, columns, true};
    MCPRUNER_RETURN_IF_ERROR(ReduceUnder(MapDims(v->dims), of_rows, plan, graph, v));
  } else if (rows || columns) {
    MCPRUNER_RETURN_IF_ERROR(ReduceUnder(MapDims(v->dims), {rows, columns, false}, plan, graph, v));
  }
  const Shape made = graph->shape(v->index);
  if (rows && channels) MCPRUNER_RETURN_IF_ERROR(ReduceUnder(made, {true, false, false}, plan, graph, v));
  return Status::Ok();
}

// Reduces each run of neighbouring axes by an op of its own.
Status ReduceRuns(const NodePlan& plan, const std::vector<bool>& over, GraphTensors* graph, Value* v) {
  const size_t rank = over.size();
  for (size_t first = 0; first < rank; ++first) {
    size_t last = first;
    while (last < rank && over[last]) ++last;
    if (last == first) continue;
    if (last == rank) {  // what is last lies as channels already
      const Result<Shape> view = CheckedShape({Product(v->dims, 0, first), 1, 1, Product(v->dims, first, rank)});
      MCPRUNER_RETURN_IF_ERROR(ReduceUnder(view, {false, false, true}, plan, graph, v));
    } else {
      MCPRUNER_RETURN_IF_ERROR(ReduceUnder(AroundAxes(v->dims, first, last), {}, plan, graph, v));
    }
    for (; first < last; ++first) v->dims[first] = 1;
  }
  return Status::Ok();
}

}  // namespace

// A mean of means over equally many elements is the mean of all, and so with sums and extremes: so several ops, one
// after the other, can reduce axes that one cannot.
Result<Value> LowerReduce(const NodePlan& plan, const Value& x, GraphTensors* graph) {
  const auto& listed = std::get<ReduceAxes>(plan.deferred);
  const size_t rank = x.dims.size();
  const Result<std::vector<bool>> over = ReducedAxes(listed, rank);
  if (!over.ok()) return over.status();
  Value v = x;
  const bool by_images = rank > 0 && rank <= kMaxMappedRank && (rank == 1 || !over->front());
  MCPRUNER_RETURN_IF_ERROR(by_images ? ReduceImages(plan, *over, graph, &v) : ReduceRuns(plan, *over, graph, &v));
  if (v.index == x.index) {  // over no axes
    const Result<int> same = graph->AppendReshape(x.index, graph->shape(x.index), plan.name);
    if (!same.ok()) return same.status();
    v.index = *same;
  }
  v.dims.clear();
  for (size_t i = 0; i < rank; ++i) {
    if (!(*over)[i]) v.dims.push_back(x.dims[i]);
    if ((*over)[i] && listed.keep_dims) v.dims.push_back(1);
  }
  return v;
}

}  // namespace mcpruner
