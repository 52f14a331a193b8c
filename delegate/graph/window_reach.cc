#include "delegate/graph/window_reach.h"

#include <algorithm>

namespace mcpruner {
namespace {

// Returns how much the last window reads behind the last element of `in`, along one dimension.
int ReachBehind(int in, int out, int kernel, int stride, int dilation, int padding_before) {
  const int64_t end = int64_t{out - 1} * stride + int64_t{kernel - 1} * dilation + 1 - padding_before;
  return static_cast<int>(std::max<int64_t>(0, end - in));
}

Padding2D WindowReach(const Window& w, int kernel_height, int kernel_width, const Shape& in, const Shape& out) {
  const Padding2D& padding = w.padding;
  return {padding.top, ReachBehind(in.h, out.h, kernel_height, w.stride_h, w.dilation_h, padding.top), padding.left,
          ReachBehind(in.w, out.w, kernel_width, w.stride_w, w.dilation_w, padding.left)};
}

}  // namespace

Padding2D ConvReach(const Op& op, const Shape& in, const Shape& out) {
  if (const auto* p = std::get_if<ConvParams>(&op.params)) {
    return WindowReach(p->window, p->layer->kernel_height, p->layer->kernel_width, in, out);
  }
  if (const auto* p = std::get_if<DepthwiseParams>(&op.params)) {
    return WindowReach(p->window, p->kernel_height, p->kernel_width, in, out);
  }
  return {};
}

Padding2D Union(const Padding2D& a, const Padding2D& b) {
  return {std::max(a.top, b.top), std::max(a.bottom, b.bottom), std::max(a.left, b.left), std::max(a.right, b.right)};
}

int WidestSide(const Padding2D& border) { return std::max({border.top, border.bottom, border.left, border.right}); }

}  // namespace mcpruner
