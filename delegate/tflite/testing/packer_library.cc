// This is the packer for Python, and what reads weights for it: tests/e2e/packer.py calls it by ctypes, and
// test_packer.py and test_sparse_tensors.py beside it compare it with the converter's. Errors are texts, which stay
// valid until the next call.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "delegate/cost/amounts.h"
#include "delegate/cost/read_table.h"
#include "delegate/graph/weights/blob_reader.h"
#include "delegate/graph/weights/grouped_layer.h"
#include "delegate/graph/weights/grouping.h"
#include "delegate/graph/weights/nonzero_bits.h"
#include "delegate/graph/weights/pack_layer.h"
#include "delegate/tflite/abi/tflite_abi.h"
#include "delegate/tflite/parse/sparse_tensor.h"
#include "delegate/tflite/predict/choose_packing.h"

// Dense weights, as Python has them.
struct McprunerDense {
  int32_t kind, filters, height, width, channels, groups;
  const float* weights;
  const float* bias;  // or null
};

// What surrounds them, and the cost table.
struct McprunerPlace {
  double height, width, stride;
  const char* table_json;
};

namespace mcpruner {
namespace {

DenseShape ShapeOf(const McprunerDense& dense) { return {dense.filters, dense.height, dense.width, dense.channels}; }

Span<const float> WeightsOf(const McprunerDense& dense) {
  const int64_t count = int64_t{dense.filters} * dense.height * dense.width * dense.channels;
  return {dense.weights, static_cast<size_t>(count)};
}

Span<const float> BiasOf(const McprunerDense& dense) {
  return {dense.bias, dense.bias == nullptr ? 0 : static_cast<size_t>(dense.filters)};
}

Grouping GroupingOf(const McprunerDense& dense, int group_size, const uint16_t* permutation) {
  return {group_size, {permutation, permutation + dense.filters}};
}

Result<SparseLayer> Pack(const McprunerDense& dense, const Grouping& grouping) {
  const Result<NonzeroBits> bits = NonzeroBits::Of(ShapeOf(dense), WeightsOf(dense));
  if (!bits.ok()) return bits.status();
  Result<SparseLayer> layer =
      PackLayer(static_cast<LayerKind>(dense.kind), *bits, WeightsOf(dense), BiasOf(dense), grouping);
  return layer.ok() && dense.groups > 1 ? InGroups(*layer, dense.groups) : layer;
}

// Floats are compared by their bits, so that the sign of a zero counts.
template <typename A>
bool SameBytes(const A& a, const A& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof a[0]) == 0);
}

// Returns the field in which the layers differ, or nothing.
const char* Difference(const SparseLayer& a, const SparseLayer& b) {
  if (a.kind != b.kind || a.value_type != b.value_type) return "kind or value_type";
  if (a.kernel_height != b.kernel_height || a.kernel_width != b.kernel_width) return "kernel";
  if (a.in_channels != b.in_channels || a.out_channels != b.out_channels) return "channels of the shape";
  if (a.group_size != b.group_size) return "group_size";
  if (!SameBytes(a.patterns, b.patterns)) return "patterns";
  if (!SameBytes(a.group_run_begin, b.group_run_begin)) return "group_run_begin";
  if (!SameBytes(a.runs, b.runs)) return "runs";
  if (!SameBytes(a.channels, b.channels)) return "channels";
  if (!SameBytes(a.values, b.values)) return "values";
  if (!SameBytes(a.narrow, b.narrow) || !SameBytes(a.scales, b.scales)) return "narrow or scales";
  if (!SameBytes(a.permutation, b.permutation)) return "permutation";
  return SameBytes(a.bias, b.bias) ? "" : "bias";
}

const char* Kept(const std::string& text) {
  static std::string kept;
  kept = text;
  return kept.c_str();
}

}  // namespace
}  // namespace mcpruner

#define MCPRUNER_EXPORT extern "C" __attribute__((visibility("default")))

// Packs, and reads the blob that the converter made. Returns nothing where both are the same layer.
MCPRUNER_EXPORT const char* McprunerComparePacked(const McprunerDense* dense, int32_t group_size,
                                                  const uint16_t* permutation, const uint8_t* blob, size_t blob_size) {
  using namespace mcpruner;
  const Result<SparseLayer> packed = Pack(*dense, GroupingOf(*dense, group_size, permutation));
  if (!packed.ok()) return Kept(packed.message());
  const Result<SparseLayer> read = ReadSparseLayer({blob, blob_size});
  return Kept(read.ok() ? Difference(*packed, *read) : read.message());
}

// Writes a permutation of the filters.
MCPRUNER_EXPORT const char* McprunerGroup(const McprunerDense* dense, int32_t group_size, uint16_t* permutation) {
  using namespace mcpruner;
  const Result<NonzeroBits> bits = NonzeroBits::Of(ShapeOf(*dense), WeightsOf(*dense));
  if (!bits.ok()) return Kept(bits.message());
  const Grouping grouping = GroupFilters(*bits, group_size, dense->groups);
  std::copy(grouping.permutation.begin(), grouping.permutation.end(), permutation);
  return "";
}

// Writes a group size, a permutation and a predicted speed-up.
MCPRUNER_EXPORT const char* McprunerChoose(const McprunerDense* dense, const McprunerPlace* place, int32_t* group_size,
                                           uint16_t* permutation, double* speedup) {
  using namespace mcpruner;
  const Result<cost::CostTable> table = cost::ParseCostTable("test", place->table_json);
  if (!table.ok()) return Kept(table.message());
  const Result<NonzeroBits> bits = NonzeroBits::Of(ShapeOf(*dense), WeightsOf(*dense));
  if (!bits.ok()) return Kept(bits.message());
  constexpr cost::LayerType kTypes[] = {cost::LayerType::kConv, cost::LayerType::kFullyConnected,
                                        cost::LayerType::kTransposedConv};
  const cost::Geometry geometry{kTypes[dense->kind], place->height, place->width, place->stride,
                                static_cast<double>(dense->groups)};
  const Packing packing = ChoosePacking(*bits, geometry, *table);
  *group_size = packing.grouping.group_size;
  std::copy(packing.grouping.permutation.begin(), packing.grouping.permutation.end(), permutation);
  *speedup = packing.speedup;
  return "";
}

// Writes the elements that a sparse tensor stands for, of which the shape must have so many. Python makes the structs.
MCPRUNER_EXPORT const char* McprunerExpand(TfLiteIntArray* dims, const TfLiteSparsity* sparsity, int32_t type,
                                           void* values, size_t bytes, float* dense) {
  using namespace mcpruner;
  TfLiteTensor tensor = {};
  tensor.type = static_cast<TfLiteType>(type);
  tensor.data = values;
  tensor.bytes = bytes;
  tensor.dims = dims;
  tensor.sparsity = sparsity;
  const Result<std::vector<float>> expanded = ExpandSparse(tensor);
  if (!expanded.ok()) return Kept(expanded.message());
  std::copy(expanded->begin(), expanded->end(), dense);
  return "";
}
