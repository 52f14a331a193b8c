#include "delegate/graph/weights/pack_layer.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "delegate/graph/weights/check_dense.h"
#include "delegate/graph/weights/count_bits.h"
#include "delegate/graph/weights/pattern_table.h"

namespace mcpruner {
namespace {

// The packing of one layer, group after group.
class Packer {
 public:
  Packer(const NonzeroBits& bits, Span<const float> weights, SparseLayer* layer)
      : bits_(bits), weights_(weights), layer_(*layer) {}

  void Pack() {
    Reserve();
    layer_.group_run_begin.push_back(0);
    for (size_t group = 0; group < static_cast<size_t>(layer_.num_groups()); ++group) {
      const Span<const uint16_t> filters = FiltersOf(group);
      UniteRows(bits_, filters, &rows_);
      FindKernels();
      AppendKernels();
      AppendValues(filters);
      layer_.group_run_begin.push_back(static_cast<uint32_t>(run_patterns_.size()));
    }
  }

  // Numbers the patterns in the order of their bits.
  Status NumberPatterns() {
    PatternTable table(bits_.positions());
    for (const uint64_t pattern : run_patterns_) table.Add(pattern);
    for (const PatternTable::Pattern& pattern : table.Sort()) layer_.patterns.push_back(pattern.bits);
    if (layer_.patterns.size() > size_t{kMaxPatterns}) {
      return Status::Error("expected at most " + std::to_string(kMaxPatterns) + " different patterns, got " +
                           std::to_string(layer_.patterns.size()) + "; use a smaller group");
    }
    for (size_t run = 0; run < run_patterns_.size(); ++run) {
      layer_.runs[run].pattern = static_cast<uint16_t>(table.NumberOf(run_patterns_[run]));
    }
    return Status::Ok();
  }

 private:
  struct Kernel {
    uint64_t pattern;
    uint16_t channel;
  };

  Span<const uint16_t> FiltersOf(size_t group) const {
    const size_t size = static_cast<size_t>(layer_.group_size), begin = group * size;
    return Span<const uint16_t>(layer_.permutation).subspan(begin, std::min(size, layer_.permutation.size() - begin));
  }

  // Counts first, so that channels and values are never copied while they grow: they may be nearly as many as the
  // dense weights.
  void Reserve() {
    size_t taps = 0, kernels = 0;
    std::vector<uint64_t> any(bits_.words());  // channels that have a weight at any position
    for (size_t group = 0; group < static_cast<size_t>(layer_.num_groups()); ++group) {
      UniteRows(bits_, FiltersOf(group), &rows_);
      std::fill(any.begin(), any.end(), 0);
      for (size_t i = 0; i < rows_.size(); ++i) any[i % any.size()] |= rows_[i];
      taps += CountBits(rows_);
      kernels += CountBits(any);
    }
    layer_.channels.reserve(kernels);
    layer_.values.resize(taps * static_cast<size_t>(layer_.group_size));
  }

  // Makes kernels_ those of the group that rows_ are of, ordered by pattern, then by channel.
  void FindKernels() {
    kernels_.clear();
    const auto add = [&](uint64_t pattern, size_t channel) {
      kernels_.push_back({pattern, static_cast<uint16_t>(channel)});
    };
    if (bits_.positions() == 1) return ForEachBit(rows_, [&](size_t channel) { add(1, channel); });
    PatternsOf(bits_, rows_, &patterns_);
    for (size_t channel = 0; channel < patterns_.size(); ++channel) {
      if (patterns_[channel] != 0) add(patterns_[channel], channel);
    }
    for (size_t shift = 0; shift < bits_.positions(); shift += 8) SortByByte(shift);
  }

  // Sorts kernels_ by a byte of their patterns; those with the same one keep their order.
  void SortByByte(size_t shift) {
    const auto byte_of = [&](const Kernel& kernel) { return kernel.pattern >> shift & 0xff; };
    std::array<size_t, 257> begin{};
    for (const Kernel& kernel : kernels_) ++begin[byte_of(kernel) + 1];
    for (size_t byte = 1; byte < begin.size(); ++byte) begin[byte] += begin[byte - 1];
    sorted_.resize(kernels_.size());
    for (const Kernel& kernel : kernels_) sorted_[begin[byte_of(kernel)]++] = kernel;
    std::swap(kernels_, sorted_);
  }

  // Appends the runs and channels of kernels_.
  void AppendKernels() {
    const size_t first = layer_.runs.size();
    for (const Kernel& kernel : kernels_) {
      if (layer_.runs.size() == first || run_patterns_.back() != kernel.pattern) {
        run_patterns_.push_back(kernel.pattern);
        layer_.runs.push_back({});
      }
      ++layer_.runs.back().count;
      layer_.channels.push_back(kernel.channel);
    }
  }

  void AppendValues(Span<const uint16_t> filters) {
    switch (filters.size()) {
      case 1:
        return AppendLanes<1>(filters);
      case 2:
        return AppendLanes<2>(filters);
      case 4:
        return AppendLanes<4>(filters);
      case 8:
        return AppendLanes<8>(filters);
      case 16:
        return AppendLanes<16>(filters);
      default:
        return AppendLanes<0>(filters);
    }
  }

  // Appends the values of kernels_. `kFilters` is how many filters there are, if the compiler is to know.
  template <size_t kFilters>
  void AppendLanes(Span<const uint16_t> filters) {
    const size_t count = kFilters == 0 ? filters.size() : kFilters;
    const size_t channels = static_cast<size_t>(layer_.in_channels), lanes = static_cast<size_t>(layer_.group_size);
    const float* weights[kMaxGroupSize];
    for (size_t lane = 0; lane < count; ++lane) {
      weights[lane] = weights_.data() + filters[lane] * bits_.positions() * channels;
    }
    float* to = layer_.values.data() + values_;
    for (const Kernel& kernel : kernels_) {
      for (uint64_t left = kernel.pattern; left != 0; left &= left - 1, to += lanes) {
        const size_t at = static_cast<size_t>(__builtin_ctzll(left)) * channels + kernel.channel;
        for (size_t lane = 0; lane < count; ++lane) to[lane] = weights[lane][at];
      }
    }
    values_ = static_cast<size_t>(to - layer_.values.data());
  }

  const NonzeroBits& bits_;
  const Span<const float> weights_;
  SparseLayer& layer_;
  std::vector<uint64_t> run_patterns_;  // of each run, since patterns are numbered when all of them are known
  size_t values_ = 0;                   // that are there already
  // Those of one group.
  std::vector<uint64_t> rows_, patterns_;
  std::vector<Kernel> kernels_, sorted_;
};

}  // namespace

Result<SparseLayer> PackLayer(LayerKind kind, const NonzeroBits& bits, Span<const float> weights,
                              Span<const float> bias, const Grouping& grouping) {
  const DenseShape& shape = bits.shape();
  MCPRUNER_RETURN_IF_ERROR(CheckDense(shape, weights.size()));
  MCPRUNER_RETURN_IF_ERROR(CheckBias(bias, shape.out_channels));
  MCPRUNER_RETURN_IF_ERROR(CheckGrouping(grouping, shape.out_channels));
  if (kind == LayerKind::kFullyConnected && bits.positions() != 1) {
    return Status::Error("expected one kernel position of a fully-connected layer, got " +
                         std::to_string(bits.positions()));
  }
  SparseLayer layer;
  layer.kind = kind;
  layer.kernel_height = shape.kernel_height;
  layer.kernel_width = shape.kernel_width;
  layer.in_channels = shape.in_channels;
  layer.out_channels = shape.out_channels;
  layer.group_size = grouping.group_size;
  layer.permutation = grouping.permutation;
  layer.bias.assign(static_cast<size_t>(shape.out_channels), 0.0f);
  std::copy(bias.begin(), bias.end(), layer.bias.begin());
  Packer packer(bits, weights, &layer);
  packer.Pack();
  MCPRUNER_RETURN_IF_ERROR(packer.NumberPatterns());
  return layer;
}

}  // namespace mcpruner
