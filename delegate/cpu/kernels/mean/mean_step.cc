#include "delegate/cpu/kernels/mean/mean_step.h"

#include <string>

#include "delegate/cpu/kernels/micro_kernels.h"

namespace mcpruner {
namespace {

class MeanStep : public Step {
 public:
  explicit MeanStep(const StepContext& context)
      : Step(std::string("mean ") + context.micro_kernels.target, context.num_threads),
        micro_kernels_(context.micro_kernels),
        input_(context.input(0)),
        output_(context.output()) {}

  void Run(int share) const override {
    const HcwLayout &in = input_.layout, &out = output_.layout;
    const Range channels = EvenShare(in.c, share, num_shares());
    MeanChannelsArgs args{};
    args.in_row_stride = in.row_stride();
    args.in_pitch = in.pitch;
    args.out_pitch = out.pitch;
    args.channels = channels.end - channels.begin;
    args.rows = in.h;
    args.width = in.w;
    args.zeros_before = out.border.left;
    args.zeros_behind = out.fill();
    for (int image = 0; image < in.n; ++image) {
      args.in = input_.Rows(image, {0, in.h}) + ptrdiff_t{channels.begin} * in.pitch;
      args.out = output_.Rows(image, {0, 1}) + ptrdiff_t{channels.begin} * out.pitch;
      micro_kernels_.MeanChannels(args);
    }
  }

 private:
  const MicroKernels& micro_kernels_;
  const TensorRef& input_;
  const TensorRef& output_;
};

}  // namespace

std::unique_ptr<Step> MakeMeanStep(const StepContext& context) { return std::make_unique<MeanStep>(context); }

}  // namespace mcpruner
