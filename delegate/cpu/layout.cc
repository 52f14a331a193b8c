#include "delegate/cpu/layout.h"

#include <algorithm>

namespace mcpruner {

HcwLayout MakeLayout(const Shape& shape, const Padding2D& border) {
  HcwLayout layout{shape.n, shape.h, shape.w, shape.c, border, 0};
  // The zeros to the right of a row are those to the left of the next one.
  layout.pitch = shape.w + std::max(border.left, border.right);
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
  std::fill_n(data + layout.n * image, layout.border.right, 0.0f);
}

}  // namespace mcpruner
