// These take the units of a version 2 blob (format/sparse_pattern.fbs) apart, so that all who see a SparseLayer see
// plain channels of the whole input, however the file has them:
//
//     a kernel of unit 1        p0: f0 (c4 c5 c6 c7) f1 (c4 c5 c6 c7), p1: f0 (...) f1 (...)
//     four kernels instead      c4: p0: f0 f1, p1: f0 f1      c5: p0: f0 f1, p1: f0 f1      c6: ...      c7: ...
//
//     channel 3 of group 2      channel 2 * (in_channels / groups) + 3
//
// Channels still ascend within a run, and the pattern of a unit is that of each of its channels, so runs stay what they
// are, but for their counts.

#ifndef MCPRUNER_DELEGATE_GRAPH_WEIGHTS_UNITS_H_
#define MCPRUNER_DELEGATE_GRAPH_WEIGHTS_UNITS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "delegate/base/limits.h"
#include "delegate/base/span.h"
#include "delegate/base/status.h"
#include "delegate/graph/weights/sparse_layer.h"

namespace mcpruner {

// Returns whether a unit may have so many channels: 1, 2, 4, 8 or 16.
constexpr bool IsUnitSize(int channels) { return IsPowerOfTwoUpTo(kMaxUnitChannels, channels); }

struct Units {
  int channels = 1;  // of each unit
  int groups = 1;    // of a grouped convolution

  bool plain() const { return channels == 1 && groups == 1; }
  // Returns how many channels a filter of the layer reads, and how many units these are.
  int ChannelsOf(const SparseLayer& layer) const { return layer.in_channels / groups; }
  int CountIn(const SparseLayer& layer) const { return (ChannelsOf(layer) + channels - 1) / channels; }
};

// Rewrites the runs and channels of `layer`, whose channels are units as in the blob, and returns the bytes of its
// values in their new order. `values` are those of the blob, exactly so many as the layer has, `value_bytes` each.
// Everything else of the layer must have been checked. An error is the statement of the schema that does not hold.
Result<std::vector<uint8_t>> TakeUnitsApart(const Units& units, Span<const uint8_t> values, size_t value_bytes,
                                            SparseLayer* layer);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_WEIGHTS_UNITS_H_
