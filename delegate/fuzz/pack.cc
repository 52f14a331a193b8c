// This target tests the packer: any bytes are weights, a grouping and a geometry. Whatever is packed holds the dense
// weights bit for bit, and nothing that no filter of a group needs.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "delegate/cost/read_table.h"
#include "delegate/fuzz/fuzz.h"
#include "delegate/graph/weights/layer_walk.h"
#include "delegate/graph/weights/pack_layer.h"
#include "delegate/graph/weights/packed_counts.h"
#include "delegate/tflite/predict/choose_packing.h"

namespace mcpruner {
namespace {

constexpr int kMostWeights = 1 << 13;

DenseShape TakeShape(Decisions* decide) {
  DenseShape shape;
  shape.kernel_height = 1 + decide->Seldom(8, 0);
  shape.kernel_width = 1 + decide->Seldom(8, shape.kernel_height - 1);
  shape.in_channels = 1 + decide->Below(140);
  const int filter = shape.kernel_height * shape.kernel_width * shape.in_channels;
  shape.out_channels = 1 + decide->Below(std::clamp(kMostWeights / filter, 1, 64));
  return shape;
}

float TakeWeight(Decisions* decide) {
  constexpr uint32_t kBits[] = {0, 0x80000000, 1, 0x807fffff, 0x00800000, 0x7f7fffff, 0x3f800000};
  uint32_t bits = kBits[decide->Seldom(7, 0)];
  if (decide->Below(64) == 63) {
    bits = static_cast<uint32_t>(decide->Below(1 << 16)) << 16 | static_cast<uint32_t>(decide->Below(1 << 16));
  }
  float weight;
  std::memcpy(&weight, &bits, sizeof weight);
  return weight;
}

// Filters often are copies of an earlier one, so that groups agree.
std::vector<float> TakeWeights(const DenseShape& shape, Decisions* decide) {
  const auto filter = static_cast<size_t>(shape.kernel_height * shape.kernel_width * shape.in_channels);
  std::vector<float> weights(static_cast<size_t>(shape.out_channels) * filter);
  for (size_t at = 0; at < weights.size(); at += filter) {
    const bool copies = at > 0 && decide->Below(2) == 1;
    const size_t from = copies ? static_cast<size_t>(decide->Below(static_cast<int>(at / filter))) * filter : 0;
    for (size_t i = 0; i < filter; ++i) weights[at + i] = copies ? weights[from + i] : TakeWeight(decide);
  }
  return weights;
}

// Mostly a permutation, and a size that is allowed.
Grouping TakeGrouping(int filters, Decisions* decide) {
  Grouping grouping{decide->Seldom(20, 1 << decide->Below(5)), std::vector<uint16_t>(static_cast<size_t>(filters))};
  std::vector<uint16_t>& permutation = grouping.permutation;
  std::iota(permutation.begin(), permutation.end(), uint16_t{0});
  for (uint16_t& filter : permutation) std::swap(filter, permutation[static_cast<size_t>(decide->Below(filters))]);
  if (decide->Below(16) == 15) permutation[0] = static_cast<uint16_t>(decide->Below(1 << 16));
  if (decide->Below(16) == 15) permutation.resize(permutation.size() - 1);
  return grouping;
}

bool SameBits(float a, float b) { return std::memcmp(&a, &b, sizeof a) == 0; }

// Walks over the layer as micro-kernels do.
void CheckLayer(const SparseLayer& layer, const std::vector<float>& weights) {
  const auto positions = static_cast<size_t>(layer.kernel_height * layer.kernel_width);
  const auto channels = static_cast<size_t>(layer.in_channels), lanes = static_cast<size_t>(layer.group_size);
  const uint16_t* channel_at = layer.channels.data();
  const float* value = layer.values.data();
  size_t nonzeros = 0;
  for (size_t group = 0; group < static_cast<size_t>(layer.num_groups()); ++group) {
    std::pair<uint64_t, int> last{0, -1};
    ForEachKernel(layer, group, &channel_at, [&](int channel, uint64_t pattern) {
      const std::pair<uint64_t, int> kernel{pattern, channel};
      Check(last < kernel, "kernels are ordered by pattern, then by channel");
      last = kernel;
      for (uint64_t left = pattern; left != 0; left &= left - 1, value += lanes) {
        const auto position = static_cast<size_t>(__builtin_ctzll(left));
        size_t needed = 0;
        for (size_t lane = 0; lane < lanes; ++lane) {
          const int filter = FilterAt(layer, static_cast<int>(group * lanes + lane)).out_channel;
          const size_t row = static_cast<size_t>(std::max(filter, 0)) * positions + position;
          const float dense = filter < 0 ? 0.0f : weights[row * channels + static_cast<size_t>(channel)];
          Check(SameBits(value[lane], dense), "a value is the dense weight, or +0 where there is no filter");
          if (dense != 0.0f) ++needed;
        }
        Check(needed > 0, "no tap is zero for all filters");
        nonzeros += needed;
      }
    });
  }
  Check(channel_at == layer.channels.data() + layer.channels.size(), "all channels are of kernels");
  Check(value == layer.values.data() + layer.values.size(), "all values are of taps");
  const auto all = std::count_if(weights.begin(), weights.end(), [](float weight) { return weight != 0.0f; });
  Check(nonzeros == static_cast<size_t>(all), "every weight that is not zero is stored");
}

void CheckChoice(const NonzeroBits& bits, const std::vector<float>& weights, Decisions* decide) {
  static const cost::CostTable table = *cost::ShippedCostTable("avx512");
  const int filters = bits.shape().out_channels;
  cost::Geometry geometry;
  geometry.type = bits.positions() == 1 && decide->Below(2) == 1 ? cost::LayerType::kFullyConnected
                  : decide->Below(2) == 1                        ? cost::LayerType::kTransposedConv
                                                                 : cost::LayerType::kConv;
  geometry.height = decide->Below(300);
  geometry.width = decide->Below(300);
  geometry.stride = 1 + decide->Seldom(4, 0);
  const int groups = 1 + decide->Seldom(filters, 0);
  if (geometry.type == cost::LayerType::kConv && filters % groups == 0) geometry.groups = groups;
  const Packing packing = ChoosePacking(bits, geometry, table);
  Check(std::isfinite(packing.speedup) && packing.speedup > 0, "a speed-up is a positive number");
  const Result<SparseLayer> layer = PackLayer(LayerKind::kConv2D, bits, weights, {}, packing.grouping);
  Check(layer.ok(), "what is chosen can be packed: " + layer.message());
  CheckLayer(*layer, weights);
}

void PackBytes(Decisions decide) {
  const DenseShape shape = TakeShape(&decide);
  const Grouping grouping = TakeGrouping(shape.out_channels, &decide);
  const std::vector<float> weights = TakeWeights(shape, &decide);
  const Result<NonzeroBits> bits = NonzeroBits::Of(shape, weights);
  const bool finite = std::all_of(weights.begin(), weights.end(), [](float weight) { return std::isfinite(weight); });
  Check(bits.ok() == finite, "bits are made of finite weights");
  if (!finite) return;
  const Result<SparseLayer> layer = PackLayer(LayerKind::kConv2D, *bits, weights, {}, grouping);
  if (layer.ok()) {
    CheckLayer(*layer, weights);
    const PackedCounts counts = CountPacked(*bits, grouping);
    Check(counts.values == static_cast<int64_t>(layer->values.size()), "values are counted as they are packed");
    Check(counts.patterns.size() == layer->patterns.size(), "patterns are counted as they are packed");
  } else {
    Check(layer.message().find('\n') == std::string::npos, "an error is one line");
  }
  CheckChoice(*bits, weights, &decide);
}

}  // namespace
}  // namespace mcpruner

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mcpruner::PackBytes({data, size});
  return 0;
}
