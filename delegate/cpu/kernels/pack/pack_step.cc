#include "delegate/cpu/kernels/pack/pack_step.h"

namespace mcpruner {

void ToHcw(const MicroKernels& micro_kernels, const float* nhwc, const TensorRef& tensor, int share, int num_shares) {
  const HcwLayout& layout = tensor.layout;
  if (layout.elements() == 0) return;
  ForEachImage(EvenShare(layout.n * layout.h, share, num_shares), layout.h, [&](int image, Range rows) {
    PackRowsArgs args;
    args.nhwc = nhwc + layout.shape().index(image, rows.begin, 0, 0);
    args.hcw = tensor.Rows(image, rows);
    args.row_stride = layout.row_stride();
    args.pitch = layout.pitch;
    args.rows = rows.end - rows.begin;
    args.width = layout.w;
    args.channels = layout.c;
    args.zeros_behind = layout.fill();
    micro_kernels.PackRows(args);
  });
}

void FromHcw(const MicroKernels& micro_kernels, const TensorRef& tensor, float* nhwc, int share, int num_shares) {
  const HcwLayout& layout = tensor.layout;
  if (layout.elements() == 0) return;
  ForEachImage(EvenShare(layout.n * layout.h, share, num_shares), layout.h, [&](int image, Range rows) {
    TransposePlanesArgs args;
    args.from = tensor.Rows(image, rows);
    args.to = nhwc + layout.shape().index(image, rows.begin, 0, 0);
    args.from_stride = layout.pitch;
    args.to_stride = layout.c;
    args.from_plane = layout.row_stride();
    args.to_plane = ptrdiff_t{layout.w} * layout.c;
    args.planes = rows.end - rows.begin;
    args.rows = layout.c;
    args.columns = layout.w;
    micro_kernels.TransposePlanes(args);
  });
}

}  // namespace mcpruner
