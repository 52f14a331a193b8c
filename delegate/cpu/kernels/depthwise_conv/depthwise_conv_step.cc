#include "delegate/cpu/kernels/depthwise_conv/depthwise_conv_step.h"

#include <string>

#include "delegate/cpu/activation_range.h"
#include "delegate/cpu/layout_plan.h"

namespace mcpruner {
namespace {

class DepthwiseConvStep : public Step {
 public:
  explicit DepthwiseConvStep(const StepContext& context)
      : Step(std::string("depthwise ") + context.kernels.target, context.num_threads),
        kernels_(context.kernels),
        input_(context.input(0)),
        output_(context.output()),
        params_(std::get<DepthwiseParams>(context.op.params)),
        activation_(RangeOf(context.op.activation)) {
    const Window& window = params_.window;
    for (int ky = 0; ky < params_.kernel_height; ++ky) {
      for (int kx = 0; kx < params_.kernel_width; ++kx) {
        offsets_.push_back((ky * window.dilation_h - window.padding.top) * input_.layout.row_stride() +
                           kx * window.dilation_w - window.padding.left);
      }
    }
  }

  void Run(int share) const override {
    const HcwLayout &in = input_.layout, &out = output_.layout;
    DepthwiseRowArgs args{};
    args.in_pitch = in.pitch;
    args.out_pitch = out.pitch;
    args.in_channels = in.c;
    args.multiplier = params_.multiplier;
    args.width = out.w;
    args.stride_w = params_.window.stride_w;
    args.num_taps = static_cast<int32_t>(offsets_.size());
    args.offsets = offsets_.data();
    args.weights = params_.weights->data();
    args.bias = params_.bias->data();
    args.clamp = activation_.clamp ? 1 : 0;
    args.low = activation_.low;
    args.high = activation_.high;
    args.zeros_before = out.border.left;
    args.zeros_behind = out.fill();
    const Range rows = EvenShare(out.n * out.h, share, num_shares());
    for (int row = rows.begin; row < rows.end; ++row) {
      const int image = row / out.h, y = row % out.h;
      args.in = input_.data + in.Pixel(image, 0, 0, 0) + y * params_.window.stride_h * in.row_stride();
      args.out = output_.data + out.Pixel(image, y, 0, 0);
      kernels_.DepthwiseRow(args);
    }
  }

 private:
  const KernelTable& kernels_;
  const TensorRef& input_;
  const TensorRef& output_;
  const DepthwiseParams params_;
  const ActivationRange activation_;
  std::vector<ptrdiff_t> offsets_;
};

}  // namespace

std::unique_ptr<Step> MakeDepthwiseConvStep(const StepContext& context) {
  const auto& params = std::get<DepthwiseParams>(context.op.params);
  if (params.window.stride_w > 2) return nullptr;
  const HcwLayout &in = context.input(0).layout, &out = context.output().layout;
  if (!HasBorder(in, WindowReach(params.window, params.kernel_height, params.kernel_width, in, out))) return nullptr;
  return std::make_unique<DepthwiseConvStep>(context);
}

}  // namespace mcpruner
