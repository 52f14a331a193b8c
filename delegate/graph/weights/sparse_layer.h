// A SparseLayer is one pruned layer in memory, as read from an MCP1 blob (blob_reader.h) or made from dense weights.
//
// It holds what the format (format/sparse_pattern.fbs) says, expanded and checked: channel gaps have become channel
// numbers, and every index is in range, so that micro-kernels may trust a SparseLayer without looking again. Backends
// repack it for their micro-kernels; it depends on group_size only, never on a core's tuning.
//
// Values are float32, except in fully-connected layers of a narrower type. Those use each value once for an input, so
// their time is that of reading memory, and they keep their values as the file holds them.
//
//   groups   [g0                      | g1        | ...]     group_run_begin[g] .. group_run_begin[g + 1]
//   runs     [pattern 0 x3 | pat. 2 x1| pattern 1 x7 ...]    kernels of one group that share a pattern
//   channels [1 4 9        | 2        | 0 1 2 ...]           one input channel per kernel
//   values   [positions x group_size per kernel ...]         filters of the group innermost

#ifndef MCPRUNER_DELEGATE_GRAPH_WEIGHTS_SPARSE_LAYER_H_
#define MCPRUNER_DELEGATE_GRAPH_WEIGHTS_SPARSE_LAYER_H_

#include <cstdint>
#include <vector>

#include "delegate/base/large_vector.h"
#include "delegate/base/limits.h"
#include "delegate/base/span.h"
#include "delegate/base/status.h"

namespace mcpruner {

enum class LayerKind : uint8_t { kConv2D, kFullyConnected, kTransposeConv2D };
enum class ValueType : uint8_t { kFloat32, kFloat16, kInt8 };

struct SparseLayer {
  struct Run {
    uint16_t pattern = 0;  // index into patterns
    uint16_t count = 0;    // kernels, at least 1
  };

  LayerKind kind = LayerKind::kConv2D;
  ValueType value_type = ValueType::kFloat32;  // in the file
  int kernel_height = 1;
  int kernel_width = 1;
  int in_channels = 0;
  int out_channels = 0;
  int group_size = 1;  // see IsGroupSize

  std::vector<uint64_t> patterns;         // bit ky * kernel_width + kx is kernel position (ky, kx)
  std::vector<uint32_t> group_run_begin;  // num_groups() + 1 offsets into runs
  std::vector<Run> runs;
  LargeVector<uint16_t> channels;     // input channel of each kernel, in order
  LargeVector<float> values;          // of each kernel: popcount(pattern) x group_size; none if keeps_narrow()
  LargeVector<uint8_t> narrow;        // if keeps_narrow(): the same, in the bytes of value_type
  std::vector<float> scales;          // if narrow values are int8: of each packed filter
  std::vector<uint16_t> permutation;  // permutation[packed filter] = original filter; length out_channels, never absent
  std::vector<float> bias;            // per original filter; length out_channels, never absent

  bool keeps_narrow() const { return kind == LayerKind::kFullyConnected && value_type != ValueType::kFloat32; }
  int num_groups() const { return (out_channels + group_size - 1) / group_size; }
  // Counts the values that are stored, those of padding lanes among them.
  size_t NumValues() const;
  // Counts the weights that are stored for real filters: explicit zeros count, padding lanes do not.
  int64_t StoredWeights() const;
  // Returns StoredWeights() over the number of weights of the dense layer, 0..1.
  double Density() const;
};

constexpr bool IsPowerOfTwoUpTo(int most, int size) { return size >= 1 && size <= most && (size & (size - 1)) == 0; }

// Returns whether a group may have this size: 1, 2, 4, 8 or 16.
constexpr bool IsGroupSize(int size) { return IsPowerOfTwoUpTo(kMaxGroupSize, size); }

// Returns the pattern that keeps all positions of a kernel, which has 1 to kMaxPositions of them.
constexpr uint64_t FullPattern(int positions) { return ~uint64_t{0} >> (kMaxPositions - positions); }

struct DenseShape {
  int out_channels = 0;
  int kernel_height = 1;
  int kernel_width = 1;
  int in_channels = 0;
};
// Makes a SparseLayer of dense weights: every kernel has the full pattern, filters keep their order. `weights` is OHWI
// with out_channels * kernel_height * kernel_width * in_channels finite elements, `bias` has out_channels or none.
// Returns an error where the bounds of the format do not hold (kMaxPositions, kMaxChannels).
Result<SparseLayer> SparseLayerFromDense(LayerKind kind, const DenseShape& shape, Span<const float> weights,
                                         Span<const float> bias, int group_size);

// Returns the values as float32, with int8 values scaled, however the layer keeps them.
std::vector<float> FloatValues(const SparseLayer& layer);

// Returns dense OHWI weights in the original filter order, bit-exact for what was stored as float32.
std::vector<float> DenseWeights(const SparseLayer& layer);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_WEIGHTS_SPARSE_LAYER_H_
