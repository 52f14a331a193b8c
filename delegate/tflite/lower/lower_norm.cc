#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "delegate/tflite/lower/lower.h"
#include "delegate/tflite/parse/rank_map.h"

namespace mcpruner {
namespace {

// A View says how a tensor of any rank lies in a graph's four dimensions so that one op can normalize it.
struct View {
  Shape shape;
  NormalizeParams params;
  size_t channel_axes = 1;  // how many of TFLite's last axes are the channels
};

// Returns the view of a tensor [N, ..., C] or [N, ..., groups, C], or nothing where the axes are others.
std::optional<View> ViewOf(const Dims& dims, const Dims& axes) {
  const size_t rank = dims.size();
  if (rank < 2) return std::nullopt;
  std::vector<bool> over(rank);
  for (const int axis : axes) {
    const Result<size_t> counted = CountAxis(axis, rank);
    if (!counted.ok()) return std::nullopt;
    over[*counted] = true;
  }
  const auto all = [&](size_t first, size_t last) {
    return std::all_of(over.begin() + static_cast<ptrdiff_t>(first), over.begin() + static_cast<ptrdiff_t>(last),
                       [](bool reduced) { return reduced; });
  };
  const auto none = [&](size_t first, size_t last) {
    return std::none_of(over.begin() + static_cast<ptrdiff_t>(first), over.begin() + static_cast<ptrdiff_t>(last),
                        [](bool reduced) { return reduced; });
  };
  View view;
  view.params.group = over.back() ? dims.back() : 1;
  view.params.over_map = rank > 2 && all(1, rank - 1);
  const bool of_groups = rank > 3 && over.back() && all(1, rank - 2) && !over[rank - 2];
  if (of_groups) {
    view.params.over_map = true;
    view.channel_axes = 2;
  } else if (over.front() || (!view.params.over_map && !(over.back() && none(0, rank - 1)))) {
    return std::nullopt;
  }
  const size_t end = rank - view.channel_axes;  // of the rows and columns
  const int64_t rows = end > 2 ? Product(dims, 1, end - 1) : 1, columns = end > 1 ? dims[end - 1] : 1;
  const bool is_mapped = !view.params.over_map && rank > kMaxMappedRank;
  const Result<Shape> shape =
      is_mapped ? MapDims(dims) : CheckedShape({dims[0], rows, columns, Product(dims, end, rank)});
  if (over.front() || !shape.ok() || shape->size() == 0) return std::nullopt;
  view.shape = *shape;
  return view;
}

// Returns a constant as an element for each channel, `value` where there is no constant, or null where it is not per
// channel.
std::shared_ptr<const std::vector<float>> PerChannel(const Operand* constant, float value, const Dims& dims,
                                                     const View& view) {
  const size_t channels = static_cast<size_t>(view.shape.c);
  if (constant == nullptr) return std::make_shared<const std::vector<float>>(channels, value);
  const Dims& own = constant->constant_dims;
  if (own.size() > dims.size()) return nullptr;
  Dims aligned(dims.size() - own.size(), 1);
  aligned.insert(aligned.end(), own.begin(), own.end());
  const size_t first = dims.size() - view.channel_axes;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (aligned[i] != 1 && (i < first || aligned[i] != dims[i])) return nullptr;
  }
  const size_t inner = static_cast<size_t>(dims.back()), own_inner = static_cast<size_t>(aligned.back());
  const bool repeats_groups = view.channel_axes == 1 || aligned[first] == 1, repeats_inner = own_inner == 1;
  std::vector<float> values(channels);
  for (size_t c = 0; c < channels; ++c) {
    const size_t group = repeats_groups ? 0 : c / inner, within = repeats_inner ? 0 : c % inner;
    values[c] = (*constant->constant)[group * own_inner + within];
  }
  return std::make_shared<const std::vector<float>>(std::move(values));
}

// Returns `v` combined with a constant, which is null where there is none.
Result<Value> WithConstant(OpType type, const NodePlan& last, const Operand* constant, bool ends, const Value& v,
                           GraphTensors* graph) {
  if (constant == nullptr) return v;
  NodePlan plan;
  plan.type = type;
  plan.name = last.name;
  if (ends) plan.activation = last.activation;
  return LowerBinary(plan, v, Value{constant->constant_dims, -1, constant->constant}, graph);
}

}  // namespace

Result<std::optional<Value>> LowerNormalization(const Normalization& norm, const NodePlan& last, GraphTensors* graph) {
  const Result<Value> x = graph->Find(norm.x);
  if (!x.ok()) return x.status();
  const std::optional<View> view = ViewOf(x->dims, norm.axes);
  if (!view.has_value()) return std::optional<Value>();
  auto scale = PerChannel(norm.scale, 1.0f, x->dims, *view), shift = PerChannel(norm.shift, 0.0f, x->dims, *view);
  const bool is_whole = scale != nullptr && shift != nullptr;
  if (!is_whole) {
    scale = PerChannel(nullptr, 1.0f, x->dims, *view);
    shift = PerChannel(nullptr, 0.0f, x->dims, *view);
  }
  const Result<int> input = graph->As(*x, view->shape, last.name);
  if (!input.ok()) return input.status();
  Op op;
  op.type = OpType::kNormalize;
  op.name = last.name;
  op.params = view->params;
  std::get<NormalizeParams>(op.params).epsilon = norm.epsilon;
  const Shape per_channel{1, 1, 1, view->shape.c};
  op.inputs = {*input, graph->AddConstant(scale, per_channel), graph->AddConstant(shift, per_channel)};
  if (is_whole) op.activation = last.activation;
  const Result<int> made = graph->Append(std::move(op));
  if (!made.ok()) return made.status();
  Value v{x->dims, *made, nullptr};
  if (is_whole) return std::optional<Value>(std::move(v));
  // A scale or a shift of the map is an op of its own.
  const Result<Value> scaled = WithConstant(OpType::kMul, last, norm.scale, norm.shift == nullptr, v, graph);
  if (!scaled.ok()) return scaled.status();
  const Result<Value> shifted = WithConstant(OpType::kAdd, last, norm.shift, true, *scaled, graph);
  if (!shifted.ok()) return shifted.status();
  return std::optional<Value>(*shifted);
}

}  // namespace mcpruner
