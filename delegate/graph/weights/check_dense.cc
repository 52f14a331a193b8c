#include "delegate/graph/weights/check_dense.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace mcpruner {

Status CheckDense(const DenseShape& shape, size_t num_weights) {
  const std::string text = std::to_string(shape.out_channels) + " x " + std::to_string(shape.kernel_height) + " x " +
                           std::to_string(shape.kernel_width) + " x " + std::to_string(shape.in_channels);
  if (shape.out_channels < 1 || shape.kernel_height < 1 || shape.kernel_width < 1 || shape.in_channels < 1) {
    return Status::Error("expected weights without empty dimensions, got " + text);
  }
  if (shape.kernel_height > kMaxPositions || shape.kernel_width > kMaxPositions / shape.kernel_height) {
    return Status::Error("expected at most " + std::to_string(kMaxPositions) + " kernel positions, got weights of " +
                         text);
  }
  if (shape.out_channels > kMaxChannels || shape.in_channels > kMaxChannels) {
    return Status::Error("expected at most " + std::to_string(kMaxChannels) + " channels, got weights of " + text);
  }
  const size_t count = size_t{1} * static_cast<size_t>(shape.out_channels) * static_cast<size_t>(shape.kernel_height) *
                       static_cast<size_t>(shape.kernel_width) * static_cast<size_t>(shape.in_channels);
  if (num_weights == count) return Status::Ok();
  return Status::Error("expected " + std::to_string(count) + " weights for " + text + ", got " +
                       std::to_string(num_weights));
}

Status CheckBias(Span<const float> bias, int filters) {
  if (!bias.empty() && bias.size() != static_cast<size_t>(filters)) {
    return Status::Error("expected " + std::to_string(filters) + " biases, got " + std::to_string(bias.size()));
  }
  const bool finite = std::all_of(bias.begin(), bias.end(), [](float value) { return std::isfinite(value); });
  return finite ? Status::Ok() : NotFinite("biases");
}

Status NotFinite(const std::string& what) {
  return Status::Error("expected finite " + what + ", got NaN or infinity; train or export the layer again");
}

Status CheckGroupSize(int group_size) {
  if (IsGroupSize(group_size)) return Status::Ok();
  return Status::Error("expected a group_size that is a power of two, 1 to " + std::to_string(kMaxGroupSize) +
                       ", got " + std::to_string(group_size));
}

}  // namespace mcpruner
