// The rank map says how TFLite tensors of any rank lie in the internal graph's four dimensions.
//
//     rank 4 [N, H, W, C] -> [N, H, W, C]      rank 2 [N, C] -> [N, 1, 1, C]
//     rank 3 [N, W, C]    -> [N, 1, W, C]      rank 1 [C]    -> [1, 1, 1, C]      rank 0 -> [1, 1, 1, 1]
//     above 4 [A, ..., Z, C] -> [A * ... * Z, 1, 1, C]
//
// The elements keep their order, so no data moves.

#ifndef MCPRUNER_DELEGATE_TFLITE_PARSE_RANK_MAP_H_
#define MCPRUNER_DELEGATE_TFLITE_PARSE_RANK_MAP_H_

#include <algorithm>
#include <array>
#include <string>

#include "delegate/graph/graph.h"
#include "delegate/graph/shapes.h"
#include "delegate/tflite/parse/model_view.h"

namespace mcpruner {

constexpr size_t kMaxMappedRank = 4;  // the largest rank of which each axis has a dimension of its own

// Returns the NHWC axis (0..3) of axis `axis` of a tensor of rank `rank` (1..4), 0 <= axis < rank.
inline size_t MapAxis(size_t rank, size_t axis) {
  constexpr size_t kAxes[kMaxMappedRank][kMaxMappedRank] = {{3, 0, 0, 0}, {0, 3, 0, 0}, {0, 2, 3, 0}, {0, 1, 2, 3}};
  return kAxes[rank - 1][axis];
}

// Returns the product of dims[first], ..., dims[last - 1]. If it is above kMaxElements, where a dimension of 0 counts
// as 1, the result is some number that is refused as well.
inline int64_t Product(const Dims& dims, size_t first, size_t last) {
  int64_t product = 1;
  bool empty = false;
  for (size_t i = first; i < last; ++i) {
    product = std::min(product * std::max(dims[i], 1), kMaxElements + 1);
    empty = empty || dims[i] == 0;
  }
  return empty && product <= kMaxElements ? 0 : product;
}

// Returns a shape of four numbers, which may be too large for one.
inline Result<Shape> CheckedShape(const std::array<int64_t, 4>& nhwc) {
  for (const int64_t dim : nhwc) {
    if (dim > kMaxElements) {
      return Status::Error("a tensor would have more than " + std::to_string(kMaxElements) + " elements");
    }
  }
  const Shape shape{static_cast<int>(nhwc[0]), static_cast<int>(nhwc[1]), static_cast<int>(nhwc[2]),
                    static_cast<int>(nhwc[3])};
  MCPRUNER_RETURN_IF_ERROR(CheckShape(shape));
  return shape;
}

inline Result<Shape> MapDims(const Dims& dims) {
  const size_t rank = dims.size();
  if (std::any_of(dims.begin(), dims.end(), [](int dim) { return dim < 0; })) {
    return Status::Error("a tensor " + DimsText(dims) + " has a negative dimension");
  }
  if (rank > kMaxMappedRank) return CheckedShape({Product(dims, 0, rank - 1), 1, 1, dims[rank - 1]});
  std::array<int64_t, 4> nhwc{1, 1, 1, 1};
  for (size_t i = 0; i < rank; ++i) nhwc[MapAxis(rank, i)] = dims[i];
  return CheckedShape(nhwc);
}

// Returns another view of the same elements: axes first..last-1 become H and W, all before them N, all behind them C.
inline Result<Shape> AroundAxes(const Dims& dims, size_t first, size_t last) {
  return CheckedShape(
      {Product(dims, 0, first), Product(dims, first, last - 1), dims[last - 1], Product(dims, last, dims.size())});
}

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_PARSE_RANK_MAP_H_
