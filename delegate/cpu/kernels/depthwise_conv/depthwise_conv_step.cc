#include "delegate/cpu/kernels/depthwise_conv/depthwise_conv_step.h"

#include <vector>

#include "delegate/cpu/kernels/row_step.h"
#include "delegate/cpu/step/layout_plan.h"
#include "delegate/graph/window_reach.h"

namespace mcpruner {
namespace {

// Turns [ky][kx][channel] into [channel][ky][kx].
std::vector<float> ByChannel(const std::vector<float>& weights, size_t num_channels) {
  std::vector<float> by_channel(weights.size());
  const size_t num_taps = weights.size() / num_channels;
  for (size_t c = 0; c < num_channels; ++c) {
    for (size_t t = 0; t < num_taps; ++t) by_channel[c * num_taps + t] = weights[t * num_channels + c];
  }
  return by_channel;
}

class DepthwiseConvStep : public RowStep {
 public:
  explicit DepthwiseConvStep(const StepContext& context)
      : RowStep("depthwise", context),
        params_(std::get<DepthwiseParams>(context.op.params)),
        reach_(RowReach::Of(params_.window, params_.kernel_height)),
        weights_(ByChannel(*params_.weights, params_.bias->size())) {}

  std::optional<RowReach> Reach() const override { return reach_; }

  void Run(int share) const override {
    const Window& window = params_.window;
    const HcwLayout &in = input().layout, &out = output().layout;
    DepthwiseRowsArgs args{};
    args.in_row_stride = in.row_stride();
    args.in_pitch = in.pitch;
    args.out_row_stride = out.row_stride();
    args.out_pitch = out.pitch;
    args.in_channels = in.c;
    args.multiplier = params_.multiplier;
    args.width = out.w;
    args.kernel_height = params_.kernel_height;
    args.kernel_width = params_.kernel_width;
    args.stride_h = window.stride_h;
    args.stride_w = window.stride_w;
    args.dilation_h = window.dilation_h;
    args.dilation_w = window.dilation_w;
    args.weights = weights_.data();
    args.bias = params_.bias->data();
    args.end = End();
    args.epilogue = epilogue().in_registers();
    // A few rows are made at a time, so that they are in the cache for the epilogue.
    ForRowRanges(share, [&](int image, int y, int rows, float* first) {
      const int blocks = (rows + kDepthwiseRows - 1) / kDepthwiseRows;
      for (int i = 0; i < blocks; ++i) {
        const Range block = EvenShare(rows, i, blocks);
        args.in = input().Rows(image, reach_.InputRows({y + block.begin, y + block.end})) - window.padding.left;
        args.out = first + block.begin * out.row_stride();
        args.rows = block.end - block.begin;
        micro_kernels().DepthwiseRows(args);
        if (epilogue().needs_pass()) ApplyEpilogue(args.out, args.rows);
      }
    });
  }

 private:
  const DepthwiseParams params_;
  const RowReach reach_;
  const std::vector<float> weights_;
};

}  // namespace

std::unique_ptr<Step> MakeDepthwiseConvStep(const StepContext& context) {
  const auto& params = std::get<DepthwiseParams>(context.op.params);
  if (params.window.stride_w > 2) return nullptr;
  const HcwLayout &in = context.input(0).layout, &out = context.output().layout;
  if (!HasBorder(in, ConvReach(context.op, in.shape(), out.shape()))) return nullptr;
  return std::make_unique<DepthwiseConvStep>(context);
}

}  // namespace mcpruner
