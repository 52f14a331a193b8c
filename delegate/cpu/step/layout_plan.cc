#include "delegate/cpu/step/layout_plan.h"

#include <algorithm>

namespace mcpruner {
namespace {

// A tensor with borders has at most this many floats, or 4 times as many as without.
constexpr int64_t kAlwaysAllowed = int64_t{1} << 24;

Padding2D Union(const Padding2D& a, const Padding2D& b) {
  return {std::max(a.top, b.top), std::max(a.bottom, b.bottom), std::max(a.left, b.left), std::max(a.right, b.right)};
}

bool Reasonable(const Shape& shape, const Padding2D& border) {
  if (std::max({border.top, border.bottom, border.left, border.right}) > kMaxBorder) return false;
  const int64_t floats = MakeLayout(shape, border).BufferFloats();
  return floats <= kAlwaysAllowed || floats / 4 <= shape.size();
}

// What an op wants around its first input.
Padding2D WantedBorder(const Graph& graph, const Op& op) {
  const HcwLayout in = MakeLayout(graph.tensor(op.inputs[0]).shape, {});
  const HcwLayout out = MakeLayout(graph.tensor(op.output).shape, {});
  if (in.elements() == 0 || out.elements() == 0) return {};
  if (const auto* p = std::get_if<ConvParams>(&op.params)) {
    if (p->window.stride_w != 1) return {};
    return WindowReach(p->window, p->layer->kernel_height, p->layer->kernel_width, in, out);
  }
  if (const auto* p = std::get_if<DepthwiseParams>(&op.params)) {
    return WindowReach(p->window, p->kernel_height, p->kernel_width, in, out);
  }
  return {};
}

}  // namespace

Padding2D WindowReach(const Window& w, int kernel_height, int kernel_width, const HcwLayout& in, const HcwLayout& out) {
  // One past the last row and column that the last window reads.
  const int64_t rows = int64_t{out.h - 1} * w.stride_h + int64_t{kernel_height - 1} * w.dilation_h + 1 - w.padding.top;
  const int64_t columns =
      int64_t{out.w - 1} * w.stride_w + int64_t{kernel_width - 1} * w.dilation_w + 1 - w.padding.left;
  return {w.padding.top, static_cast<int>(std::max<int64_t>(0, rows - in.h)), w.padding.left,
          static_cast<int>(std::max<int64_t>(0, columns - in.w))};
}

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
