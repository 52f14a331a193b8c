#include "delegate/cpu/kernels/blocks/reference.h"

namespace mcpruner {
namespace {

// Calls move(index on the flat side, index on the deep side) for each element of the flat side.
template <typename Move>
void ForEachElement(const Shape& flat, const Shape& deep, int height, int width, const Move& move) {
  for (int n = 0; n < flat.n; ++n) {
    for (int h = 0; h < flat.h; ++h) {
      for (int w = 0; w < flat.w; ++w) {
        const int first = (h % height * width + w % width) * flat.c;
        for (int c = 0; c < flat.c; ++c) move(flat.index(n, h, w, c), deep.index(n, h / height, w / width, first + c));
      }
    }
  }
}

}  // namespace

void DepthToSpaceReference(const DepthToSpaceParams& p, const Shape& in, const float* x, const Shape& out, float* y) {
  ForEachElement(out, in, p.block_height, p.block_width, [&](int64_t flat, int64_t deep) { y[flat] = x[deep]; });
}

void SpaceToDepthReference(const SpaceToDepthParams& p, const Shape& in, const float* x, const Shape& out, float* y) {
  ForEachElement(in, out, p.block_size, p.block_size, [&](int64_t flat, int64_t deep) { y[deep] = x[flat]; });
}

}  // namespace mcpruner
