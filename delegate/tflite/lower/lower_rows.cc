#include <algorithm>
#include <string>
#include <utility>

#include "delegate/tflite/lower/lower.h"
#include "delegate/tflite/parse/rank_map.h"

namespace mcpruner {
namespace {

// A fully-connected layer over a map of at least this many pixels is a 1x1 convolution. With 3 pixels and more that was
// 1.05 to 8 times as fast as rows, with 2 between 0.96 and 1.6 times (2026-11-30, CPU time in turns on a shared
// Intel(R) Xeon(R) Processor, AVX-512 and AVX2, layers of 64 to 1536 channels at density 0.25).
constexpr int kLeastPixels = 3;

// Aligned has the dims of two operands, aligned at their last dimension, and of what they make.
struct Aligned {
  Dims a, b, out;
};

Result<Aligned> Align(const Dims& a, const Dims& b) {
  Aligned dims{a, b, {}};
  const size_t rank = std::max(a.size(), b.size());
  dims.a.insert(dims.a.begin(), rank - a.size(), 1);
  dims.b.insert(dims.b.begin(), rank - b.size(), 1);
  for (size_t i = 0; i < rank; ++i) {
    if (dims.a[i] != dims.b[i] && dims.a[i] != 1 && dims.b[i] != 1) {
      return Status::Error(DimsText(a) + " and " + DimsText(b) + " do not broadcast");
    }
    dims.out.push_back(dims.a[i] == 1 ? dims.b[i] : dims.a[i]);
  }
  return dims;
}

// Joins neighbouring dimensions, the last one aside, into one where the same operand repeats in all of them, or neither
// does. `dims.out` has at most kMaxElements elements.
Aligned Join(const Aligned& dims) {
  const auto repeats = [&](size_t i) { return (dims.a[i] == dims.b[i] ? 0 : dims.a[i] == 1 ? 1 : 2); };
  Aligned joined;
  int previous = -1;
  for (size_t i = 0; i < dims.out.size(); ++i) {
    const bool last = i + 1 == dims.out.size();
    if (!last && dims.out[i] == 1) continue;
    if (last || repeats(i) != previous) {
      joined.a.push_back(dims.a[i]);
      joined.b.push_back(dims.b[i]);
      joined.out.push_back(dims.out[i]);
    } else {
      joined.a.back() *= dims.a[i];
      joined.b.back() *= dims.b[i];
      joined.out.back() *= dims.out[i];
    }
    previous = repeats(i);
  }
  return joined;
}

// Repeats `v`, whose dims are aligned with `out`, to those sizes: it is multiplied by ones, one axis after the other.
Result<Value> Repeat(const std::string& name, Value v, const Dims& out, GraphTensors* graph) {
  for (size_t i = 0; i < out.size(); ++i) {
    if (v.dims[i] == out[i]) continue;
    const Result<Shape> view = AroundAxes(v.dims, i, i + 1);
    if (!view.ok()) return view.status();
    const Result<int> x = graph->As(v, *view, name);
    if (!x.ok()) return x.status();
    const auto ones = std::make_shared<const std::vector<float>>(static_cast<size_t>(out[i]), 1.0f);
    Op op;
    op.type = OpType::kMul;
    op.name = name;
    op.inputs = {*x, graph->AddConstant(ones, {1, 1, out[i], 1})};
    const Result<int> made = graph->Append(std::move(op));
    if (!made.ok()) return made.status();
    v = Value{v.dims, *made, nullptr};
    v.dims[i] = out[i];
  }
  return v;
}

// Returns the tensor that holds the rows of `channels` elements which `x` has. What stands behind the last whole row is
// no part of any, as in TFLite's kernel; a model resized to such a size may have it.
Result<int> WholeRows(const Value& x, int channels, const std::string& name, GraphTensors* graph) {
  const int64_t elements = graph->shape(x.index).size();
  if (channels < 1 || elements % channels == 0) return x.index;
  const Result<int> flat = graph->As(x, {1, 1, 1, static_cast<int>(elements)}, name);
  if (!flat.ok()) return flat;
  const int rows = static_cast<int>(elements / channels);
  Op op;
  op.type = OpType::kStridedSlice;
  op.name = name;
  op.inputs = {*flat};
  StridedSliceParams params;
  params.size = {1, 1, 1, rows * channels};
  op.params = params;
  const Result<int> whole = graph->Append(std::move(op));
  if (!whole.ok()) return whole;
  return graph->AppendReshape(*whole, {rows, 1, 1, channels}, name);
}

// The graph's op makes [rows, 1, 1, units] of any shape.
Result<int> AppendRows(const NodePlan& plan, const Value& x, GraphTensors* graph) {
  const auto& layer = std::get<FullyConnectedParams>(plan.params).layer;
  const Result<int> rows = WholeRows(x, layer->in_channels, plan.name, graph);
  if (!rows.ok()) return rows;
  Op op = OpOf(plan);
  op.inputs = {*rows};
  return graph->Append(std::move(op));
}

// Returns the map whose pixels are the rows of `x`: `x` itself, or what it is a reshape of. Returns -1 where there is
// none, or one of fewer than kLeastPixels.
int MapOfRows(int x, int channels, const GraphTensors& graph) {
  for (const int map : {x, graph.BeforeReshapes(x)}) {
    const Shape& shape = graph.shape(map);
    if (shape.c == channels && int64_t{shape.h} * shape.w >= kLeastPixels) return map;
  }
  return -1;
}

// Returns the layer as one of a convolution, whose values are float32 whatever the file has.
std::shared_ptr<const SparseLayer> PixelLayer(const std::shared_ptr<const SparseLayer>& layer) {
  if (!layer->keeps_narrow()) return layer;
  auto pixels = std::make_shared<SparseLayer>(*layer);
  const std::vector<float> values = FloatValues(*layer);
  pixels->kind = LayerKind::kConv2D;
  pixels->values.assign(values.begin(), values.end());
  pixels->narrow = {};
  pixels->scales.clear();
  return pixels;
}

// A map stays as the convolutions around it have it: rows of channels would have to be made of it and undone again.
Result<int> AppendPixelConv(const NodePlan& plan, int map, GraphTensors* graph) {
  Op op = OpOf(plan);
  op.type = OpType::kConv;
  op.inputs = {map};
  op.params = ConvParams{Window{}, PixelLayer(std::get<FullyConnectedParams>(plan.params).layer)};
  return graph->Append(std::move(op));
}

}  // namespace

Result<Value> LowerUnary(const NodePlan& plan, const Value& x, GraphTensors* graph) {
  Op op = OpOf(plan);
  op.inputs = {x.index};
  const Result<int> made = graph->Append(std::move(op));
  if (!made.ok()) return made.status();
  return Value{x.dims, *made, nullptr};
}

Result<Value> LowerBinary(const NodePlan& plan, const Value& a, const Value& b, GraphTensors* graph) {
  const Result<Aligned> aligned = Align(a.dims, b.dims);
  if (!aligned.ok()) return aligned.status();
  MCPRUNER_RETURN_IF_ERROR(MapDims(aligned->out).status());
  Aligned as = *aligned;
  if (as.out.size() > kMaxMappedRank) as = Join(as);
  Value left{as.a, a.index, a.constant}, right{as.b, b.index, b.constant};
  if (as.out.size() > kMaxMappedRank) {
    // The operand that repeats changes more often from dimension to dimension than four dimensions can say.
    Result<Value> whole_left = Repeat(plan.name, left, as.out, graph);
    if (!whole_left.ok()) return whole_left;
    Result<Value> whole_right = Repeat(plan.name, right, as.out, graph);
    if (!whole_right.ok()) return whole_right;
    left = std::move(*whole_left);
    right = std::move(*whole_right);
  }
  Op op = OpOf(plan);
  for (const Value* operand : {&left, &right}) {
    const Result<Shape> shape = MapDims(operand->dims);
    if (!shape.ok()) return shape.status();
    const Result<int> index = graph->As(*operand, *shape, plan.name);
    if (!index.ok()) return index.status();
    op.inputs.push_back(*index);
  }
  const Result<int> made = graph->Append(std::move(op));
  if (!made.ok()) return made.status();
  return Value{aligned->out, *made, nullptr};
}

Result<Value> LowerFullyConnected(const NodePlan& plan, const Value& x, GraphTensors* graph) {
  const auto& layer = std::get<FullyConnectedParams>(plan.params).layer;
  const bool keeps_rank = std::holds_alternative<KeepRank>(plan.deferred);
  if (keeps_rank && (x.dims.empty() || x.dims.back() != layer->in_channels)) {
    return Status::Error("expected an input whose last dimension is " + std::to_string(layer->in_channels) + ", got " +
                         DimsText(x.dims));
  }
  const int map = MapOfRows(x.index, layer->in_channels, *graph);
  const Result<int> made = map >= 0 ? AppendPixelConv(plan, map, graph) : AppendRows(plan, x, graph);
  if (!made.ok()) return made.status();
  if (!keeps_rank) {
    const int64_t rows = graph->shape(*made).size() / std::max(layer->out_channels, 1);
    return Value{{static_cast<int>(rows), layer->out_channels}, *made, nullptr};
  }
  Value v{x.dims, *made, nullptr};
  v.dims.back() = layer->out_channels;
  return v;
}

}  // namespace mcpruner
