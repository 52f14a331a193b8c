#include "delegate/cpu/kernels/normalize/reference.h"

#include <cmath>

namespace mcpruner {
namespace {

// The elements of `pixels` neighbouring pixels, `group` channels each from one channel on, and their statistics.
struct Group {
  int64_t first = 0;
  int64_t pixels = 0;
  int group = 0, channels = 0;

  template <class Function>
  double Mean(const Function& f) const {
    double sum = 0.0;
    for (int64_t pixel = 0; pixel < pixels; ++pixel) {
      for (int c = 0; c < group; ++c) sum += f(first + pixel * channels + c);
    }
    return sum / (static_cast<double>(pixels) * group);
  }
};

}  // namespace

void NormalizeReference(const NormalizeParams& params, const Shape& shape, const float* x, const float* scale,
                        const float* shift, float* y) {
  if (shape.size() == 0) return;
  const int64_t pixels = params.over_map ? int64_t{shape.h} * shape.w : 1;
  for (int64_t first = 0; first < shape.size(); first += pixels * shape.c) {
    for (int channel = 0; channel < shape.c; channel += params.group) {
      const Group group{first + channel, pixels, params.group, shape.c};
      const double mean = group.Mean([&](int64_t i) { return double{x[i]}; });
      const double variance = group.Mean([&](int64_t i) { return (x[i] - mean) * (x[i] - mean); });
      const double factor = 1.0 / std::sqrt(variance + params.epsilon);
      for (int64_t pixel = 0; pixel < pixels; ++pixel) {
        for (int c = 0; c < params.group; ++c) {
          const int64_t i = group.first + pixel * shape.c + c;
          y[i] = static_cast<float>((x[i] - mean) * factor * scale[channel + c] + shift[channel + c]);
        }
      }
    }
  }
}

}  // namespace mcpruner
