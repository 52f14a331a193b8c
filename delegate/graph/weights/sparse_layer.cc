#include "delegate/graph/weights/sparse_layer.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "delegate/base/half.h"
#include "delegate/graph/weights/check_dense.h"
#include "delegate/graph/weights/layer_walk.h"

namespace mcpruner {
namespace {

// Calls body(group, channel, position, index of the first of its group_size values) for everything that is stored.
template <typename Body>
void ForEachTap(const SparseLayer& layer, const Body& body) {
  const int positions = layer.kernel_height * layer.kernel_width;
  const uint16_t* channels = layer.channels.data();
  size_t value = 0;
  for (int group = 0; group < layer.num_groups(); ++group) {
    ForEachKernel(layer, static_cast<size_t>(group), &channels, [&](int channel, uint64_t pattern) {
      for (int p = 0; p < positions; ++p) {
        if ((pattern >> p & 1) == 0) continue;
        body(group, channel, p, value);
        value += static_cast<size_t>(layer.group_size);
      }
    });
  }
}

}  // namespace

size_t SparseLayer::NumValues() const {
  return keeps_narrow() ? narrow.size() / (value_type == ValueType::kInt8 ? 1 : 2) : values.size();
}

int64_t SparseLayer::StoredWeights() const {
  int64_t stored = 0, filters_left = out_channels;
  for (const uint64_t taps : GroupTaps(*this)) {
    stored += static_cast<int64_t>(taps) * std::min<int64_t>(group_size, filters_left);
    filters_left -= group_size;
  }
  return stored;
}

double SparseLayer::Density() const {
  return static_cast<double>(StoredWeights()) /
         (static_cast<double>(out_channels) * kernel_height * kernel_width * in_channels);
}

Result<SparseLayer> SparseLayerFromDense(LayerKind kind, const DenseShape& shape, Span<const float> weights,
                                         Span<const float> bias, int group_size) {
  MCPRUNER_RETURN_IF_ERROR(CheckDense(shape, weights.size()));
  MCPRUNER_RETURN_IF_ERROR(CheckBias(bias, shape.out_channels));
  MCPRUNER_RETURN_IF_ERROR(CheckGroupSize(group_size));
  if (!std::all_of(weights.begin(), weights.end(), [](float value) { return std::isfinite(value); })) {
    return NotFinite("weights");
  }
  SparseLayer layer;
  layer.kind = kind;
  layer.kernel_height = shape.kernel_height;
  layer.kernel_width = shape.kernel_width;
  layer.in_channels = shape.in_channels;
  layer.out_channels = shape.out_channels;
  layer.group_size = group_size;
  const int positions = shape.kernel_height * shape.kernel_width;
  layer.patterns = {FullPattern(positions)};
  layer.group_run_begin.resize(static_cast<size_t>(layer.num_groups()) + 1);
  std::iota(layer.group_run_begin.begin(), layer.group_run_begin.end(), 0);
  layer.runs.assign(static_cast<size_t>(layer.num_groups()), {0, static_cast<uint16_t>(shape.in_channels)});
  layer.channels.resize(static_cast<size_t>(layer.num_groups()) * static_cast<size_t>(shape.in_channels));
  for (size_t i = 0; i < layer.channels.size(); ++i) {
    layer.channels[i] = static_cast<uint16_t>(i % static_cast<size_t>(shape.in_channels));
  }
  layer.values.resize(layer.channels.size() * static_cast<size_t>(positions * group_size));
  ForEachTap(layer, [&](int group, int channel, int position, size_t value) {
    const int lanes = std::min(group_size, shape.out_channels - group * group_size);
    for (int lane = 0; lane < lanes; ++lane) {
      const size_t filter = static_cast<size_t>(group * group_size + lane);
      const size_t row = filter * static_cast<size_t>(positions) + static_cast<size_t>(position);
      layer.values[value + static_cast<size_t>(lane)] =
          weights[row * static_cast<size_t>(shape.in_channels) + static_cast<size_t>(channel)];
    }
  });
  layer.permutation.resize(static_cast<size_t>(shape.out_channels));
  std::iota(layer.permutation.begin(), layer.permutation.end(), static_cast<uint16_t>(0));
  layer.bias.assign(static_cast<size_t>(shape.out_channels), 0.0f);
  std::copy(bias.begin(), bias.end(), layer.bias.begin());
  return layer;
}

std::vector<float> FloatValues(const SparseLayer& layer) {
  if (!layer.keeps_narrow()) return {layer.values.begin(), layer.values.end()};
  std::vector<float> values(layer.NumValues());
  ForEachTap(layer, [&](int group, int, int, size_t tap) {
    for (int lane = 0; lane < layer.group_size; ++lane) {
      const size_t i = tap + static_cast<size_t>(lane);
      if (layer.value_type == ValueType::kFloat16) {
        values[i] = HalfToFloat(static_cast<uint16_t>(layer.narrow[2 * i] | layer.narrow[2 * i + 1] << 8));
      } else if (const int filter = group * layer.group_size + lane; filter < layer.out_channels) {
        values[i] = static_cast<int8_t>(layer.narrow[i]) * layer.scales[static_cast<size_t>(filter)];
      }
    }
  });
  return values;
}

std::vector<float> DenseWeights(const SparseLayer& layer) {
  const std::vector<float> values = FloatValues(layer);
  const size_t positions = static_cast<size_t>(layer.kernel_height * layer.kernel_width);
  const size_t channels = static_cast<size_t>(layer.in_channels);
  std::vector<float> weights(static_cast<size_t>(layer.out_channels) * positions * channels);
  ForEachTap(layer, [&](int group, int channel, int position, size_t value) {
    const int lanes = std::min(layer.group_size, layer.out_channels - group * layer.group_size);
    for (int lane = 0; lane < lanes; ++lane) {
      const size_t filter = layer.permutation[static_cast<size_t>(group * layer.group_size + lane)];
      weights[(filter * positions + static_cast<size_t>(position)) * channels + static_cast<size_t>(channel)] =
          values[value + static_cast<size_t>(lane)];
    }
  });
  return weights;
}

}  // namespace mcpruner
