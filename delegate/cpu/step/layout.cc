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
  // The zeros to the right of a row are those to the left of the next one.
  const int zeros = std::max(border.left, border.right);
  layout.pitch = zeros == 0 ? AlignedPitch(shape.w) : shape.w + zeros;
  return layout;
}

void ClearBorders(const HcwLayout& layout, float* data) {
  if (layout.elements() == 0) return;
  const ptrdiff_t row = layout.row_stride(), image = layout.image_stride();
  for (int i = 0; i < layout.n; ++i) {
    float* const first = data + i * image;
    std::fill_n(first, layout.border.top * row, 0.0f);
    std::fill_n(first + (layout.border.top + layout.h) * row, layout.border.bottom * row, 0.0f);
  }
  ClearTail(layout, data + layout.n * image);
}

void ClearTail(const HcwLayout& layout, float* end) { std::fill_n(end, layout.border.right, 0.0f); }

}  // namespace mcpruner
