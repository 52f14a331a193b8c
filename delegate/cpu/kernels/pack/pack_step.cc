#include "delegate/cpu/kernels/pack/pack_step.h"

#include <algorithm>

namespace mcpruner {
namespace {

// Calls f(image, first row, rows) for each image's part of one share of all rows.
template <class Function>
void ForRows(const HcwLayout& layout, int share, int num_shares, const Function& f) {
  const Range range = EvenShare(layout.n * layout.h, share, num_shares);
  for (int row = range.begin; row < range.end;) {
    const int image = row / layout.h, y = row % layout.h;
    const int rows = std::min(layout.h - y, range.end - row);
    f(image, y, rows);
    row += rows;
  }
}

}  // namespace

void PackTensor(const KernelTable& kernels, const float* nhwc, const TensorRef& tensor, int share, int num_shares) {
  const HcwLayout& layout = tensor.layout;
  if (layout.elements() == 0) return;
  ForRows(layout, share, num_shares, [&](int image, int y, int rows) {
    PackRowsArgs args;
    args.nhwc = nhwc + layout.shape().index(image, y, 0, 0);
    args.hcw = tensor.Rows(image, {y, y + rows});
    args.row_stride = layout.row_stride();
    args.pitch = layout.pitch;
    args.rows = rows;
    args.width = layout.w;
    args.channels = layout.c;
    args.zeros_before = layout.border.left;
    args.zeros_behind = layout.fill();
    kernels.PackRows(args);
  });
}

void UnpackTensor(const KernelTable& kernels, const TensorRef& tensor, float* nhwc, int share, int num_shares) {
  const HcwLayout& layout = tensor.layout;
  if (layout.elements() == 0) return;
  ForRows(layout, share, num_shares, [&](int image, int y, int rows) {
    UnpackRowsArgs args;
    args.hcw = tensor.Rows(image, {y, y + rows});
    args.nhwc = nhwc + layout.shape().index(image, y, 0, 0);
    args.row_stride = layout.row_stride();
    args.pitch = layout.pitch;
    args.rows = rows;
    args.width = layout.w;
    args.channels = layout.c;
    kernels.UnpackRows(args);
  });
}

}  // namespace mcpruner
