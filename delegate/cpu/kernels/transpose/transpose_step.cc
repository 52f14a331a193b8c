#include "delegate/cpu/kernels/transpose/transpose_step.h"

#include <algorithm>
#include <array>

#include "delegate/cpu/kernels/copy/copy_step.h"

namespace mcpruner {
namespace {

class TransposeStep : public CopyStep {
 public:
  explicit TransposeStep(const StepContext& context)
      : CopyStep("transpose", context), order_(std::get<TransposeParams>(context.op.params).order) {
    const HcwLayout& in = input().layout;
    const std::array<ptrdiff_t, 4> strides{in.image_stride(), in.row_stride(), 1, in.pitch};
    for (size_t i = 0; i < 4; ++i) strides_[i] = strides[static_cast<size_t>(order_[i])];
  }

  std::optional<RowReach> Reach() const override {
    return KeepsRows() ? std::optional<RowReach>(RowReach()) : std::nullopt;
  }

  void Run(int share) const override {
    ForRowRanges(share, [&](int image, int y, int count, float* rows) {
      const float* const from = RowsFrom(image, y, count);
      if (strides_[2] == 1) return CopyRows(from, count, rows);
      WriteEnds(count, rows);
      if (strides_[3] == 1) return ColumnsToChannels(from, count, rows);
      ColumnsToRows(from, count, rows);
    });
  }

 private:
  bool KeepsRows() const { return order_[0] == 0 && order_[1] == 1; }

  // Returns the element of the input that pixel 0 of channel 0 of the first of `count` output rows is. Of streamed
  // rows, no others are there.
  const float* RowsFrom(int image, int y, int count) const {
    if (KeepsRows()) return input().Rows(image, {y, y + count});
    return input().Rows(0, {0, input().layout.h}) + image * strides_[0] + y * strides_[1];
  }

  void WriteEnds(int count, float* rows) const {
    const HcwLayout& out = output().layout;
    if (out.fill() == 0) return;
    for (ptrdiff_t i = 0; i < ptrdiff_t{count} * out.c; ++i) {
      std::fill_n(rows + i * out.pitch + out.w, out.fill(), 0.0f);
    }
  }

  void CopyRows(const float* from, int count, float* rows) const {
    const HcwLayout& out = output().layout;
    for (int i = 0; i < count; ++i) {
      CopyChannels(from + i * strides_[1], strides_[3], out.c, rows + i * out.row_stride());
    }
  }

  // Each row is the transpose of a matrix.
  void ColumnsToChannels(const float* from, int count, float* rows) const {
    const HcwLayout& out = output().layout;
    TransposePlanesArgs args;
    args.from = from;
    args.to = rows;
    args.from_stride = strides_[2];
    args.to_stride = out.pitch;
    args.from_plane = strides_[1];
    args.to_plane = out.row_stride();
    args.planes = count;
    args.rows = out.w;
    args.columns = out.c;
    micro_kernels().TransposePlanes(args);
  }

  // Each channel is the transpose of a matrix. Where columns become images, of which this is one, a matrix has one
  // column, and each row is done alone.
  void ColumnsToRows(const float* from, int count, float* rows) const {
    const HcwLayout& out = output().layout;
    const int at_once = strides_[1] == 1 ? count : 1;
    TransposePlanesArgs args;
    args.from_stride = strides_[2];
    args.to_stride = out.row_stride();
    args.from_plane = strides_[3];
    args.to_plane = out.pitch;
    args.planes = out.c;
    args.rows = out.w;
    args.columns = at_once;
    for (int i = 0; i < count; i += at_once) {
      args.from = from + i * strides_[1];
      args.to = rows + i * out.row_stride();
      micro_kernels().TransposePlanes(args);
    }
  }

  const std::array<int, 4> order_;
  std::array<ptrdiff_t, 4> strides_{};  // in the input, of the output's N, H, W, C
};

}  // namespace

std::unique_ptr<Step> MakeTransposeStep(const StepContext& context) { return std::make_unique<TransposeStep>(context); }

}  // namespace mcpruner
