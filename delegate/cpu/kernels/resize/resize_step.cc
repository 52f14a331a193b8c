#include "delegate/cpu/kernels/resize/resize_step.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "delegate/cpu/kernels/row_step.h"
#include "delegate/graph/resize_axis.h"

namespace mcpruner {
namespace {

Range RowsOf(const ResizeSource& source) { return {source.lower, source.lower + (source.share > 0.0f ? 2 : 1)}; }

// Returns the smallest window that contains what each row is made of.
RowReach ReachOf(const ResizeAxis& rows, const ResizeParams& params, int in, int out) {
  RowReach reach;
  const bool corners = params.align_corners && out > 1;
  reach.stride = corners ? in - 1 : in;
  reach.divisor = corners ? out - 1 : out;
  const int common = std::gcd(reach.stride, reach.divisor);
  reach.stride /= common;
  reach.divisor /= common;
  Range around{in, -in};  // where all windows begin and end, counted from row * stride / divisor
  for (int y = 0; y < out; ++y) {
    const int place = static_cast<int>(int64_t{y} * reach.stride / reach.divisor);
    const Range read = RowsOf(rows.At(y));
    around.begin = std::min(around.begin, read.begin - place);
    around.end = std::max(around.end, read.end - place);
  }
  reach.padding = -around.begin;
  reach.height = around.end - around.begin;
  return reach;
}

class ResizeStep : public RowStep {
 public:
  explicit ResizeStep(const StepContext& context)
      : RowStep("resize", context),
        params_(std::get<ResizeParams>(context.op.params)),
        rows_(context.op.type, params_, input().layout.h, output().layout.h),
        reach_(ReachOf(rows_, params_, input().layout.h, output().layout.h)) {
    PlanColumns(ResizeAxis(context.op.type, params_, input().layout.w, output().layout.w));
  }

  int64_t ScratchFloats() const override { return ColumnFloats() * num_workspaces(); }

  std::optional<RowReach> Reach() const override { return reach_; }

  void Run(int share) const override {
    const HcwLayout &in = input().layout, &out = output().layout;
    ResizeRowArgs args{};
    args.in_pitch = in.pitch;
    args.out_pitch = out.pitch;
    args.channels = in.c;
    args.in_width = in.w;
    args.out_width = out.w;
    args.column = scratch() + WorkspaceOf(share) * ColumnFloats();
    args.begin = begin_.empty() ? nullptr : begin_.data();
    args.pick = pick_.data();
    args.shares = shares_.empty() ? nullptr : shares_.data();
    args.end = End();
    ForRows(share, [&](int image, int y, float* row) {
      const ResizeSource source = rows_.At(y);
      const Range read = RowsOf(source);
      args.row = input().Rows(image, read);
      args.below = read.end - read.begin > 1 ? args.row + in.row_stride() : nullptr;
      args.below_share = source.share;
      args.out = row;
      micro_kernels().ResizeRow(args);
    });
  }

 private:
  int64_t ColumnFloats() const { return input().layout.w + 2 * micro_kernels().vector_floats; }

  void PlanColumns(const ResizeAxis& columns) {
    const int width = output().layout.w, lanes = micro_kernels().vector_floats;
    const auto padded = static_cast<size_t>((width + lanes - 1) / lanes * lanes);
    pick_.resize(padded);
    shares_.resize(padded);
    bool far = false, blends = false;
    for (int x = 0; x < width; ++x) {
      const ResizeSource source = columns.At(x);
      if (x % lanes == 0) begin_.push_back(source.lower);
      pick_[static_cast<size_t>(x)] = source.lower - begin_.back();
      shares_[static_cast<size_t>(x)] = source.share;
      far = far || source.lower - begin_.back() >= lanes;
      blends = blends || source.share > 0.0f;
    }
    if (!blends) shares_.clear();
    if (!far) return;
    for (int x = 0; x < width; ++x) pick_[static_cast<size_t>(x)] = columns.At(x).lower;
    begin_.clear();
  }

  const ResizeParams params_;
  const ResizeAxis rows_;
  const RowReach reach_;
  std::vector<int32_t> begin_, pick_;
  std::vector<float> shares_;
};

}  // namespace

std::unique_ptr<Step> MakeResizeStep(const StepContext& context) { return std::make_unique<ResizeStep>(context); }

}  // namespace mcpruner
