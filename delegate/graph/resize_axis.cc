#include "delegate/graph/resize_axis.h"

#include <algorithm>
#include <cmath>

namespace mcpruner {

ResizeAxis::ResizeAxis(OpType type, const ResizeParams& params, int in, int out)
    : nearest_(type == OpType::kResizeNearest),
      align_corners_(params.align_corners),
      half_pixel_centers_(params.half_pixel_centers),
      last_(in - 1),
      scale_(static_cast<float>(in) / static_cast<float>(out)) {
  if (align_corners_ && out > 1) scale_ = static_cast<float>(in - 1) / static_cast<float>(out - 1);
}

ResizeSource ResizeAxis::At(int i) const {
  const auto element = static_cast<float>(i);
  if (nearest_) return {Nearest(element), 0.0f};
  const float place = half_pixel_centers_ ? (element + 0.5f) * scale_ - 0.5f : element * scale_;
  const float inside = std::max(place, 0.0f);
  const int lower = std::min(static_cast<int>(inside), last_);
  return {lower, lower == last_ ? 0.0f : inside - static_cast<float>(lower)};
}

// Nearest compares no middles: with half_pixel_centers it adds a half and rounds down, as TFLite does.
int ResizeAxis::Nearest(float i) const {
  const float place = (half_pixel_centers_ ? i + 0.5f : i) * scale_;
  return std::min(static_cast<int>(align_corners_ ? std::round(place) : std::floor(place)), last_);
}

}  // namespace mcpruner
