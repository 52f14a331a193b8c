#include "delegate/graph/weights/units.h"

#include <algorithm>
#include <utility>

#include "delegate/graph/weights/count_bits.h"

namespace mcpruner {
namespace {

// The values of one kernel: `rows` rows, one for each filter at each position, of `width` values of `bytes` bytes.
struct KernelValues {
  const uint8_t* data;
  size_t rows, width, bytes;

  size_t size() const { return rows * width * bytes; }
  const uint8_t* At(size_t row, size_t channel) const { return data + (row * width + channel) * bytes; }
};

void AppendChannel(const KernelValues& kernel, size_t channel, std::vector<uint8_t>* ordered) {
  for (size_t row = 0; row < kernel.rows; ++row) {
    const uint8_t* const value = kernel.At(row, channel);
    ordered->insert(ordered->end(), value, value + kernel.bytes);
  }
}

bool IsZeroFrom(const KernelValues& kernel, size_t channel) {
  for (size_t row = 0; row < kernel.rows; ++row) {
    const uint8_t* const end = kernel.At(row, kernel.width);
    if (std::any_of(kernel.At(row, channel), end, [](uint8_t byte) { return byte != 0; })) return false;
  }
  return true;
}

}  // namespace

Result<std::vector<uint8_t>> TakeUnitsApart(const Units& units, Span<const uint8_t> values, size_t value_bytes,
                                            SparseLayer* layer) {
  const size_t width = static_cast<size_t>(units.channels), read = static_cast<size_t>(units.ChannelsOf(*layer));
  const size_t lanes = static_cast<size_t>(layer->group_size);
  const size_t filters = static_cast<size_t>(layer->out_channels / units.groups);  // of each of the units' groups
  std::vector<uint8_t> ordered;
  ordered.reserve(values.size());
  LargeVector<uint16_t> channels;
  channels.reserve(layer->channels.size() * width);
  const uint16_t* unit = layer->channels.data();
  const uint8_t* at = values.data();
  for (size_t group = 0; group < static_cast<size_t>(layer->num_groups()); ++group) {
    const size_t before = group * lanes / filters * read;  // channels that other groups read
    for (uint32_t r = layer->group_run_begin[group]; r < layer->group_run_begin[group + 1]; ++r) {
      SparseLayer::Run& run = layer->runs[r];
      const uint64_t pattern = layer->patterns[run.pattern];
      const size_t begin = channels.size(), rows = CountBits({&pattern, 1}) * lanes;
      for (int k = 0; k < run.count; ++k, ++unit) {
        const KernelValues kernel{at, rows, width, value_bytes};
        const size_t first = *unit * width, kept = std::min(width, read - first);
        for (size_t c = 0; c < kept; ++c) {
          channels.push_back(static_cast<uint16_t>(before + first + c));
          AppendChannel(kernel, c, &ordered);
        }
        if (!IsZeroFrom(kernel, kept)) return Status::Error("values beyond the last channel are +0");
        at += kernel.size();
      }
      run.count = static_cast<uint16_t>(channels.size() - begin);
    }
  }
  layer->channels = std::move(channels);
  return ordered;
}

}  // namespace mcpruner
