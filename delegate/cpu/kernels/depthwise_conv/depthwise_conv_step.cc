#include "delegate/cpu/kernels/depthwise_conv/depthwise_conv_step.h"

#include <vector>

#include "delegate/cpu/layout_plan.h"
#include "delegate/cpu/row_step.h"

namespace mcpruner {
namespace {

class DepthwiseConvStep : public RowStep {
 public:
  explicit DepthwiseConvStep(const StepContext& context)
      : RowStep("depthwise", context), params_(std::get<DepthwiseParams>(context.op.params)) {
    const Window& window = params_.window;
    for (int ky = 0; ky < params_.kernel_height; ++ky) {
      for (int kx = 0; kx < params_.kernel_width; ++kx) {
        offsets_.push_back((ky * window.dilation_h - window.padding.top) * input().layout.row_stride() +
                           kx * window.dilation_w - window.padding.left);
      }
    }
  }

  void Run(int share) const override {
    const HcwLayout &in = input().layout, &out = output().layout;
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
    args.end = End();
    ForRows(share, [&](int image, int y, float* row) {
      args.in = input().data + in.Pixel(image, 0, 0, 0) + y * params_.window.stride_h * in.row_stride();
      args.out = row;
      kernels().DepthwiseRow(args);
    });
  }

 private:
  const DepthwiseParams params_;
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
