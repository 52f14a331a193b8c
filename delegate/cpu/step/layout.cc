#include "delegate/cpu/step/layout.h"

#include <algorithm>

namespace mcpruner {

namespace {

// Rows of at most a vector of 64 bytes begin where a vector (or half a vector) does, if that makes them at most a sixth
// longer. This took ResNet-50 from 23.3 to 22.5 ms; rows of 28 and 56 lost as much to the larger tensor as they gained
// (docs/performance.md).
int AlignedPitch(int w) {
  const int pitch = w <= 8 ? 8 : 16;
  return w <= pitch && 6 * (pitch - w) <= w ? pitch : w;
}

}  // namespace

HcwLayout MakeLayout(const Shape& shape, const Padding2D& border) {
  HcwLayout layout{shape.n, shape.h, shape.w, shape.c, border, 0};
  layout.pitch = layout.fill() == 0 ? AlignedPitch(shape.w) : shape.w + layout.fill();
  return layout;
}

void ClearBorders(const HcwLayout& layout, int above, int below, int rows, float* data) {
  const ptrdiff_t row = layout.row_stride();
  std::fill_n(data, above * row + layout.border.left, 0.0f);
  // Behind the last row of zeros, a window may reach as far as behind any other.
  if (below > 0) std::fill_n(data + (rows - below) * row, below * row + layout.border.right, 0.0f);
}

void ClearBorders(const HcwLayout& layout, float* data) {
  if (layout.elements() == 0) return;
  const int top = layout.border.top, bottom = layout.border.bottom;
  for (int i = 0; i < layout.n; ++i) {
    ClearBorders(layout, top, bottom, top + layout.h + bottom, data + i * layout.image_stride());
  }
}

}  // namespace mcpruner
