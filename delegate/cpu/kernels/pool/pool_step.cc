#include "delegate/cpu/kernels/pool/pool_step.h"

#include <algorithm>
#include <string>

#include "delegate/cpu/activation_range.h"

namespace mcpruner {
namespace {

class PoolStep : public Step {
 public:
  explicit PoolStep(const StepContext& context)
      : Step(std::string("pool ") + context.kernels.target, context.num_threads),
        kernels_(context.kernels),
        input_(context.input(0)),
        output_(context.output()),
        params_(std::get<PoolParams>(context.op.params)),
        activation_(RangeOf(context.op.activation)) {
    const Window& window = params_.window;
    const HcwLayout &in = input_.layout, &out = output_.layout;
    // Strided loads read to the end of their last vector.
    const int lanes = kernels_.vector_floats;
    const int last = (out.w + lanes) * window.stride_w + params_.filter_width;
    column_size_ = std::max(window.padding.left + in.w, last) + 2 * lanes;
    if (context.op.type == OpType::kMaxPool) return;
    for (int x = 0; x < out.w + lanes; ++x) {
      const int first = x * window.stride_w - window.padding.left;
      const int count = std::min(first + params_.filter_width, in.w) - std::max(first, 0);
      counts_.push_back(static_cast<float>(std::max(count, 1)));
    }
  }

  int64_t ScratchFloats() const override { return int64_t{column_size_} * num_shares(); }

  void Run(int share) const override {
    const HcwLayout &in = input_.layout, &out = output_.layout;
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
    args.column = scratch() + int64_t{share} * column_size_;
    args.column_size = column_size_;
    args.counts = counts_.empty() ? nullptr : counts_.data();
    args.clamp = activation_.clamp ? 1 : 0;
    args.low = activation_.low;
    args.high = activation_.high;
    args.zeros_before = out.border.left;
    args.zeros_behind = out.fill();
    const Range rows = EvenShare(out.n * out.h, share, num_shares());
    for (int row = rows.begin; row < rows.end; ++row) {
      const int image = row / out.h, y = row % out.h;
      const int first = y * params_.window.stride_h - params_.window.padding.top;
      const int begin = std::max(first, 0);
      args.rows = std::min(first + params_.filter_height, in.h) - begin;
      args.in = input_.data + in.Pixel(image, begin, 0, 0);
      args.out = output_.data + out.Pixel(image, y, 0, 0);
      kernels_.PoolRow(args);
    }
  }

 private:
  const KernelTable& kernels_;
  const TensorRef& input_;
  const TensorRef& output_;
  const PoolParams params_;
  const ActivationRange activation_;
  int column_size_ = 0;
  std::vector<float> counts_;
};

}  // namespace

std::unique_ptr<Step> MakePoolStep(const StepContext& context) { return std::make_unique<PoolStep>(context); }

}  // namespace mcpruner
