#include "delegate/tflite/parse/transposed_conv.h"

#include <algorithm>
#include <string>

namespace mcpruner {

int TransposedAxis::WeightAt(int phase, int tap) const {
  const int64_t weight = int64_t{phase} + before - int64_t{first + tap} * stride;
  return weight >= 0 && weight < kernel ? static_cast<int>(weight) : -1;
}

Result<TransposedAxis> MakeTransposedAxis(int out, int kernel, int stride, bool same) {
  if (out < 1 || kernel < 1 || stride < 1 || stride > kMaxWindow || kernel > kMaxWindow) {
    return Status::Error("expected an output of at least 1, and a filter and a stride of 1 to " +
                         std::to_string(kMaxWindow) + ", got " + std::to_string(out) + ", " + std::to_string(kernel) +
                         " and " + std::to_string(stride));
  }
  if (!same && out < kernel) {
    return Status::Error("its output of " + std::to_string(out) + " is smaller than its filter of " +
                         std::to_string(kernel));
  }
  TransposedAxis axis;
  axis.out = out;
  axis.kernel = kernel;
  axis.stride = stride;
  axis.in = same ? (out - 1) / stride + 1 : (out - kernel) / stride + 1;
  axis.before = std::max(0, (axis.in - 1) * stride + kernel - out) / 2;
  // SAME cuts off less than a kernel.
  axis.first = -((kernel - 1 - axis.before) / stride);
  axis.taps = (stride - 1 + axis.before) / stride - axis.first + 1;
  axis.blocks = (out - 1) / stride + 1;
  return axis;
}

Result<std::vector<float>> PhaseFilters(Span<const float> weights, int filters, int channels,
                                        const TransposedAxis& rows, const TransposedAxis& columns) {
  const int64_t phases = int64_t{rows.stride} * columns.stride, taps = int64_t{rows.taps} * columns.taps;
  if (phases * filters > kMaxChannels || taps > kMaxPositions || phases * filters * taps * channels > kMaxElements) {
    return Status::Error("it is a convolution of " + std::to_string(phases * filters) + " filters with " +
                         std::to_string(taps) + " kernel positions, which is too large");
  }
  std::vector<float> made(static_cast<size_t>(phases * filters * taps * channels));
  auto* to = made.data();
  for (int phase = 0; phase < phases; ++phase) {
    for (int f = 0; f < filters; ++f) {
      for (int tap = 0; tap < taps; ++tap, to += channels) {
        const int row = rows.WeightAt(phase / columns.stride, tap / columns.taps);
        const int column = columns.WeightAt(phase % columns.stride, tap % columns.taps);
        if (row < 0 || column < 0) continue;
        const int64_t from = ((int64_t{f} * rows.kernel + row) * columns.kernel + column) * channels;
        std::copy_n(weights.begin() + from, channels, to);
      }
    }
  }
  return made;
}

}  // namespace mcpruner
