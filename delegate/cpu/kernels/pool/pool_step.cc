#include "delegate/cpu/kernels/pool/pool_step.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "delegate/cpu/kernels/row_step.h"

namespace mcpruner {
namespace {

class PoolStep : public RowStep {
 public:
  explicit PoolStep(const StepContext& context)
      : RowStep("pool", context), params_(std::get<PoolParams>(context.op.params)) {
    const Window& window = params_.window;
    const HcwLayout &in = input().layout, &out = output().layout;
    // Strided loads read to the end of their last vector.
    const int lanes = micro_kernels().vector_floats;
    const int last = (out.w + lanes) * window.stride_w + params_.filter_width;
    column_size_ = std::max(window.padding.left + in.w, last) + 2 * lanes;
    if (context.op.type == OpType::kMaxPool) return;
    for (int x = 0; x < out.w + lanes; ++x) {
      const int first = x * window.stride_w - window.padding.left;
      const int count = std::min(first + params_.filter_width, in.w) - std::max(first, 0);
      counts_.push_back(static_cast<float>(std::max(count, 1)));
    }
  }

  int64_t ScratchFloats() const override { return int64_t{kPoolColumns} * column_size_ * num_workspaces(); }

  std::optional<RowReach> Reach() const override { return RowReach::Of(params_.window, params_.filter_height); }

  void Run(int share) const override {
    const HcwLayout &in = input().layout, &out = output().layout;
    PoolRowArgs args{};
    args.in_row_stride = in.row_stride();
    args.in_pitch = in.pitch;
    args.out_pitch = out.pitch;
    args.channels = in.c;
    args.in_width = in.w;
    args.out_width = out.w;
    args.filter_width = params_.filter_width;
    args.stride_w = params_.window.stride_w;
    args.pad_left = params_.window.padding.left;
    args.columns = scratch() + int64_t{kPoolColumns} * WorkspaceOf(share) * column_size_;
    args.column_size = column_size_;
    args.counts = counts_.empty() ? nullptr : counts_.data();
    args.end = End();
    const float nothing = counts_.empty() ? -std::numeric_limits<float>::infinity() : 0.0f;
    std::fill_n(args.columns, kPoolColumns * column_size_, nothing);
    ForRows(share, [&](int image, int y, float* row) {
      const int first = y * params_.window.stride_h - params_.window.padding.top;
      const int begin = std::max(first, 0);
      args.rows = std::min(first + params_.filter_height, in.h) - begin;
      args.in = input().Rows(image, {begin, begin + args.rows});
      args.out = row;
      micro_kernels().PoolRow(args);
    });
  }

 private:
  const PoolParams params_;
  int column_size_ = 0;
  std::vector<float> counts_;
};

}  // namespace

std::unique_ptr<Step> MakePoolStep(const StepContext& context) { return std::make_unique<PoolStep>(context); }

}  // namespace mcpruner
