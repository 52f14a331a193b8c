#include "delegate/tflite/parse/sparse_tensor.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "delegate/base/half.h"
#include "delegate/base/span.h"
#include "delegate/tflite/abi/int_array.h"

namespace mcpruner {
namespace {

constexpr size_t kMostRank = 8;  // so that the walk is never deep; weights have 2 or 4 dimensions
// A tensor of more than kFreeElements has at most kMostExpansion elements for each value, as in
// converter/tflite/weights.py.
constexpr uint64_t kFreeElements = uint64_t{1} << 20, kMostExpansion = 4096;

struct Level {
  bool dense = true;
  size_t size = 0;                    // children of a node, of a sparse level at most
  size_t stride = 0;                  // elements of the tensor from one child to the next
  Span<const int> segments, indices;  // of a sparse level
};

struct Tree {
  std::vector<Level> levels;
  size_t elements = 1;  // of the dense tensor
};

std::string ListText(Span<const int> list) {
  std::string text = "[";
  for (size_t i = 0; i < list.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(list[i]);
  return text + "]";
}

Status BadLevel(size_t level, const std::string& what) {
  return Status::Error("level " + std::to_string(level) + " " + what);
}

bool IsPermutation(Span<const int> order, size_t first) {
  std::vector<bool> found(order.size());
  for (const int number : order) {
    const size_t i = static_cast<size_t>(number) - first;  // one that is smaller becomes a large one
    if (number < 0 || i >= found.size() || found[i]) return false;
    found[i] = true;
  }
  return true;
}

// TFLite finds the level of block i by what the traversal order has at the place of block i, which is right where the
// order of blocks is its own inverse, as all orders of two are.
bool IsOwnInverse(Span<const int> order, size_t first) {
  for (size_t i = 0; i < order.size(); ++i) {
    if (static_cast<size_t>(order[static_cast<size_t>(order[i]) - first]) - first != i) return false;
  }
  return true;
}

Status CheckOrder(const TfLiteSparsity& sparsity, size_t rank) {
  const Span<const int> order = IntArrayView(sparsity.traversal_order), blocks = IntArrayView(sparsity.block_map);
  if (rank < 1 || rank > kMostRank || sparsity.dim_metadata == nullptr || order.size() != rank + blocks.size() ||
      static_cast<int64_t>(order.size()) != sparsity.dim_metadata_size) {
    return Status::Error(std::to_string(rank) + " dimensions and " + std::to_string(blocks.size()) +
                         " blocks do not fit the traversal order " + ListText(order) + " and " +
                         std::to_string(sparsity.dim_metadata_size) + " levels");
  }
  for (size_t i = 0; i < blocks.size(); ++i) {
    const bool ascends = i == 0 || blocks[i - 1] < blocks[i];
    if (blocks[i] < 0 || static_cast<size_t>(blocks[i]) >= rank || !ascends) {
      return Status::Error("the block map " + ListText(blocks) + " does not name some of " + std::to_string(rank) +
                           " dimensions in ascending order");
    }
  }
  const Span<const int> block_order = order.subspan(rank, blocks.size());
  if (!IsPermutation(order.subspan(0, rank), 0) || !IsPermutation(block_order, rank) ||
      !IsOwnInverse(block_order, rank)) {
    return Status::Error("the traversal order " + ListText(order) + " is none that TFLite reads for " +
                         std::to_string(rank) + " dimensions");
  }
  return Status::Ok();
}

// Returns the size of the block that each dimension is cut into, 1 for none.
Result<std::array<size_t, kMostRank>> BlockSizes(const TfLiteSparsity& sparsity, Span<const int> dims) {
  const Span<const int> order = IntArrayView(sparsity.traversal_order), blocks = IntArrayView(sparsity.block_map);
  std::array<size_t, kMostRank> sizes;
  sizes.fill(1);
  for (size_t level = dims.size(); level < order.size(); ++level) {
    const TfLiteDimensionMetadata& metadata = sparsity.dim_metadata[level];
    if (metadata.format != kTfLiteDimDense) {
      return BadLevel(level, "is a sparse block dimension, on which TFLite ends the process; write the file again");
    }
    const auto dim = static_cast<size_t>(blocks[static_cast<size_t>(order[level]) - dims.size()]);
    if (metadata.dense_size < 1 || dims[dim] % metadata.dense_size != 0) {
      return BadLevel(level, "has blocks of " + std::to_string(metadata.dense_size) +
                                 ", which do not divide a dimension of " + std::to_string(dims[dim]));
    }
    sizes[dim] = static_cast<size_t>(metadata.dense_size);
  }
  return sizes;
}

Result<size_t> CountElements(Span<const int> dims, size_t values) {
  const uint64_t most = std::max(kFreeElements, kMostExpansion * uint64_t{values});
  uint64_t elements = 1;
  for (const int dim : dims) {
    if (dim < 1) return Status::Error("the shape " + ListText(dims) + " has no elements");
    if (elements > most / static_cast<uint64_t>(dim)) {
      return Status::Error(std::to_string(values) + " values are too few for the shape " + ListText(dims));
    }
    elements *= static_cast<uint64_t>(dim);
  }
  return static_cast<size_t>(elements);
}

// Returns the levels without looking into segments and indices.
Result<Tree> ReadTree(const TfLiteSparsity& sparsity, Span<const int> dims, size_t values) {
  MCPRUNER_RETURN_IF_ERROR(CheckOrder(sparsity, dims.size()));
  const Result<size_t> elements = CountElements(dims, values);
  if (!elements.ok()) return elements.status();
  const Result<std::array<size_t, kMostRank>> blocks = BlockSizes(sparsity, dims);
  if (!blocks.ok()) return blocks.status();
  std::array<size_t, kMostRank> strides;
  size_t stride = 1;
  for (size_t dim = dims.size(); dim-- > 0; stride *= static_cast<size_t>(dims[dim])) strides[dim] = stride;
  Tree tree;
  tree.elements = *elements;
  const Span<const int> order = IntArrayView(sparsity.traversal_order);
  for (size_t i = 0; i < order.size(); ++i) {
    const TfLiteDimensionMetadata& metadata = sparsity.dim_metadata[i];
    const auto number = static_cast<size_t>(order[i]);
    const bool is_block = number >= dims.size();
    const size_t dim = is_block ? static_cast<size_t>(sparsity.block_map->data[number - dims.size()]) : number;
    const size_t block = (*blocks)[dim];
    Level level;
    level.dense = metadata.format == kTfLiteDimDense;
    level.size = is_block ? block : static_cast<size_t>(dims[dim]) / block;
    level.stride = is_block ? strides[dim] : strides[dim] * block;
    if (!level.dense && metadata.format != kTfLiteDimSparseCsr) {
      return BadLevel(i, "has the unknown format " + std::to_string(metadata.format));
    }
    if (level.dense && (metadata.dense_size < 0 || static_cast<size_t>(metadata.dense_size) != level.size)) {
      return BadLevel(
          i, "has " + std::to_string(metadata.dense_size) + " children instead of " + std::to_string(level.size));
    }
    if (!level.dense) {
      level.segments = IntArrayView(metadata.array_segments);
      level.indices = IntArrayView(metadata.array_indices);
    }
    tree.levels.push_back(level);
  }
  return tree;
}

Status CheckSparseLevel(const Level& level, size_t number, size_t nodes) {
  const Span<const int> segments = level.segments;
  if (segments.size() != nodes + 1) {
    return BadLevel(number, "has " + std::to_string(segments.size()) + " segments for " + std::to_string(nodes) +
                                " nodes, not one more");
  }
  bool ascends = segments[0] == 0;
  for (size_t i = 0; i < nodes; ++i) ascends &= segments[i] <= segments[i + 1];
  if (!ascends || static_cast<size_t>(segments[nodes]) != level.indices.size()) {
    return BadLevel(
        number, "has segments that do not ascend from 0 to its " + std::to_string(level.indices.size()) + " indices");
  }
  for (const int index : level.indices) {
    if (index >= 0 && static_cast<size_t>(index) < level.size) continue;
    return BadLevel(number, "has the index " + std::to_string(index) + ", of " + std::to_string(level.size));
  }
  return Status::Ok();
}

// Checks that the tree has `values` leaves, and no more nodes at any level than a dense one.
Status CheckNodes(const Tree& tree, size_t values) {
  size_t nodes = 1, places = 1;
  for (size_t i = 0; i < tree.levels.size(); ++i) {
    const Level& level = tree.levels[i];
    places *= level.size;
    if (!level.dense) MCPRUNER_RETURN_IF_ERROR(CheckSparseLevel(level, i, nodes));
    nodes = level.dense ? nodes * level.size : level.indices.size();
    if (nodes > places) {
      return BadLevel(i, "has " + std::to_string(nodes) + " indices for " + std::to_string(places) + " places");
    }
  }
  if (nodes == values) return Status::Ok();
  return Status::Error("there are " + std::to_string(values) + " values for " + std::to_string(nodes) + " places");
}

float ValueAt(const float* values, size_t i) {
  float value;
  std::memcpy(&value, reinterpret_cast<const char*>(values) + i * sizeof value, sizeof value);  // any alignment
  return value;
}
float ValueAt(const uint16_t* values, size_t i) {
  uint16_t half;
  std::memcpy(&half, reinterpret_cast<const char*>(values) + i * sizeof half, sizeof half);
  return HalfToFloat(half);
}

// Writes what stands below a node of a level, whose first element is `to`.
template <typename T>
void WriteBelow(const Tree& tree, const T* values, size_t number, size_t node, float* to) {
  const Level& level = tree.levels[number];
  const bool last = number + 1 == tree.levels.size();
  const size_t begin = level.dense ? node * level.size : static_cast<size_t>(level.segments[node]);
  const size_t end = level.dense ? begin + level.size : static_cast<size_t>(level.segments[node + 1]);
  for (size_t child = begin; child < end; ++child) {
    const size_t index = level.dense ? child - begin : static_cast<size_t>(level.indices[child]);
    float* const place = to + index * level.stride;
    if (last) {
      *place = ValueAt(values, child);
    } else {
      WriteBelow(tree, values, number + 1, child, place);
    }
  }
}

}  // namespace

Result<std::vector<float>> ExpandSparse(const TfLiteTensor& tensor) {
  const bool is_half = tensor.type == kTfLiteFloat16;
  const size_t bytes = is_half ? sizeof(uint16_t) : sizeof(float), values = tensor.bytes / bytes;
  if (tensor.bytes % bytes != 0) {
    return Status::Error(std::to_string(tensor.bytes) + " bytes of values are no whole number of them");
  }
  const Result<Tree> tree = ReadTree(*tensor.sparsity, IntArrayView(tensor.dims), values);
  if (!tree.ok()) return tree.status();
  MCPRUNER_RETURN_IF_ERROR(CheckNodes(*tree, values));
  std::vector<float> dense(tree->elements);
  if (is_half) {
    WriteBelow(*tree, static_cast<const uint16_t*>(tensor.data), 0, 0, dense.data());
  } else {
    WriteBelow(*tree, static_cast<const float*>(tensor.data), 0, 0, dense.data());
  }
  return dense;
}

bool IsSparseMatrix(const TfLiteTensor& tensor) {
  const TfLiteSparsity* const sparsity = tensor.sparsity;
  if (sparsity == nullptr || tensor.type != kTfLiteFloat32 || IntArrayView(tensor.dims).size() != 2) return false;
  const Span<const int> order = IntArrayView(sparsity->traversal_order), blocks = IntArrayView(sparsity->block_map);
  const TfLiteDimensionMetadata* const levels = sparsity->dim_metadata;
  const int count = sparsity->dim_metadata_size;
  if (levels == nullptr || count < 2 || count > 3 || order.size() != static_cast<size_t>(count)) return false;
  if (!std::is_sorted(order.begin(), order.end())) return false;
  if (levels[0].format != kTfLiteDimDense || levels[1].format != kTfLiteDimSparseCsr) return false;
  if (count == 2) return blocks.empty();
  return blocks.size() == 1 && blocks[0] == 1 && levels[2].format == kTfLiteDimDense && levels[2].dense_size == 4;
}

}  // namespace mcpruner
