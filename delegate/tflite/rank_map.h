// How TFLite tensors of rank 0..4 lie in the internal graph's four dimensions.
//
//     rank 4 [N, H, W, C] -> [N, H, W, C]      rank 2 [N, C] -> [N, 1, 1, C]
//     rank 3 [N, W, C]    -> [N, 1, W, C]      rank 1 [C]    -> [1, 1, 1, C]      rank 0 -> [1, 1, 1, 1]
//
// The elements keep their order, so no data moves.

#ifndef MCPRUNER_DELEGATE_TFLITE_RANK_MAP_H_
#define MCPRUNER_DELEGATE_TFLITE_RANK_MAP_H_

#include <algorithm>
#include <array>
#include <string>

#include "delegate/graph/graph.h"
#include "delegate/graph/shapes.h"
#include "delegate/tflite/model_view.h"

namespace mcpruner {

constexpr int kMaxRank = 4;

// NHWC axis (0..3) of axis `axis` of a tensor of rank `rank` (1..4), 0 <= axis < rank.
inline int MapAxis(int rank, int axis) {
  constexpr int kAxes[kMaxRank][kMaxRank] = {{3, 0, 0, 0}, {0, 3, 0, 0}, {0, 2, 3, 0}, {0, 1, 2, 3}};
  return kAxes[rank - 1][axis];
}

inline Result<Shape> MapDims(const Dims& dims) {
  const int rank = static_cast<int>(dims.size());
  if (rank > kMaxRank) return Status::Error("a tensor " + DimsText(dims) + " has more than 4 dimensions");
  std::array<int, 4> nhwc{1, 1, 1, 1};
  for (int i = 0; i < rank; ++i) nhwc[static_cast<size_t>(MapAxis(rank, i))] = dims[static_cast<size_t>(i)];
  const Shape shape{nhwc[0], nhwc[1], nhwc[2], nhwc[3]};
  MCPRUNER_RETURN_IF_ERROR(CheckShape(shape));
  return shape;
}

// The inverse, for a rank whose missing dimensions are 1 in `shape`.
inline Dims UnmapShape(const Shape& shape, int rank) {
  const std::array<int, 4> nhwc{shape.n, shape.h, shape.w, shape.c};
  Dims dims(static_cast<size_t>(rank));
  for (int i = 0; i < rank; ++i) dims[static_cast<size_t>(i)] = nhwc[static_cast<size_t>(MapAxis(rank, i))];
  return dims;
}

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_RANK_MAP_H_
