#include "delegate/cpu/step/layout_plan.h"

#include "delegate/graph/window_reach.h"

namespace mcpruner {
namespace {

// A border is kept where the tensor has at most this many floats with it, or at most 4 times as many as without it.
constexpr int64_t kAlwaysAllowed = int64_t{1} << 24;

bool Reasonable(const Shape& shape, const Padding2D& border) {
  if (WidestSide(border) > kMaxBorder) return false;
  const int64_t floats = MakeLayout(shape, border).BufferFloats();
  return floats <= kAlwaysAllowed || floats / 4 <= shape.size();
}

// Returns the zeros that an op wants around its first input.
Padding2D WantedBorder(const Graph& graph, const Op& op) {
  const Shape& in = graph.tensor(op.inputs[0]).shape;
  const Shape& out = graph.tensor(op.output).shape;
  if (in.size() == 0 || out.size() == 0) return {};
  const auto* conv = std::get_if<ConvParams>(&op.params);
  if (conv != nullptr && conv->window.stride_w != 1) return {};  // it copies its input, padding and all
  return ConvReach(op, in, out);
}

}  // namespace

bool HasBorder(const HcwLayout& layout, const Padding2D& border) {
  return layout.border.top >= border.top && layout.border.bottom >= border.bottom &&
         layout.border.left >= border.left && layout.border.right >= border.right;
}

std::vector<HcwLayout> PlanLayouts(const Graph& graph) {
  std::vector<Padding2D> borders(graph.tensors.size());
  for (const Op& op : graph.ops) {
    Padding2D& border = borders[static_cast<size_t>(op.inputs[0])];
    const Padding2D wanted = Union(border, WantedBorder(graph, op));
    if (Reasonable(graph.tensor(op.inputs[0]).shape, wanted)) border = wanted;
  }
  std::vector<HcwLayout> layouts;
  for (size_t i = 0; i < borders.size(); ++i) layouts.push_back(MakeLayout(graph.tensors[i].shape, borders[i]));
  return layouts;
}

}  // namespace mcpruner
