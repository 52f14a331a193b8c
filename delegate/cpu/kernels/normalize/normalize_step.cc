#include "delegate/cpu/kernels/normalize/normalize_step.h"

#include <string>

#include "delegate/cpu/kernels/micro_kernels.h"
#include "delegate/cpu/kernels/row_step.h"
#include "delegate/graph/activation_range.h"

namespace mcpruner {
namespace {

// Returns the arguments that all calls share. Those of channels begin at channel 0.
NormalizeArgs ArgsOf(const StepContext& context) {
  const auto& params = std::get<NormalizeParams>(context.op.params);
  const HcwLayout &in = context.input(0).layout, &out = context.output().layout;
  NormalizeArgs args{};
  args.in_row_stride = in.row_stride();
  args.out_row_stride = out.row_stride();
  args.in_pitch = in.pitch;
  args.out_pitch = out.pitch;
  args.scale_pitch = context.input(1).layout.pitch;
  args.shift_pitch = context.input(2).layout.pitch;
  args.group = params.group;
  args.groups = in.c / params.group;
  args.rows = in.h;
  args.width = in.w;
  args.epsilon = params.epsilon;
  const ActivationRange range = RangeOf(context.op.activation);
  args.end = {range.clamp ? 1 : 0, range.low, range.high, out.fill()};
  return args;
}

class NormalizePixelsStep : public RowStep {
 public:
  explicit NormalizePixelsStep(const StepContext& context)
      : RowStep("normalize pixels", context),
        scale_(context.input(1)),
        shift_(context.input(2)),
        args_(ArgsOf(context)) {}

  std::optional<RowReach> Reach() const override { return RowReach(); }

  void Run(int share) const override {
    NormalizeArgs args = args_;
    args.scale = scale_.Rows(0, {0, 1});
    args.shift = shift_.Rows(0, {0, 1});
    ForRows(share, [&](int image, int y, float* row) {
      args.in = input().Rows(image, {y, y + 1});
      args.out = row;
      micro_kernels().NormalizePixels(args);
    });
  }

 private:
  const TensorRef& scale_;
  const TensorRef& shift_;
  const NormalizeArgs args_;
};

// Its shares are ranges of the groups of all images.
class NormalizeMapStep : public Step {
 public:
  explicit NormalizeMapStep(const StepContext& context)
      : Step(std::string("normalize map ") + context.micro_kernels.target, context.num_threads),
        micro_kernels_(context.micro_kernels),
        input_(context.input(0)),
        scale_(context.input(1)),
        shift_(context.input(2)),
        output_(context.output()),
        args_(ArgsOf(context)) {}

  void Run(int share) const override {
    const HcwLayout& in = input_.layout;
    NormalizeArgs args = args_;
    const Range groups = EvenShare(in.n * args_.groups, share, num_shares());
    ForEachImage(groups, args_.groups, [&](int image, Range part) {
      const ptrdiff_t first = ptrdiff_t{part.begin} * args_.group;
      args.groups = part.end - part.begin;
      args.in = input_.Rows(image, {0, in.h}) + first * args_.in_pitch;
      args.out = output_.Rows(image, {0, in.h}) + first * args_.out_pitch;
      args.scale = scale_.Rows(0, {0, 1}) + first * args_.scale_pitch;
      args.shift = shift_.Rows(0, {0, 1}) + first * args_.shift_pitch;
      micro_kernels_.NormalizeMap(args);
    });
  }

 private:
  const MicroKernels& micro_kernels_;
  const TensorRef& input_;
  const TensorRef& scale_;
  const TensorRef& shift_;
  const TensorRef& output_;
  const NormalizeArgs args_;
};

}  // namespace

std::unique_ptr<Step> MakeNormalizeStep(const StepContext& context) {
  if (std::get<NormalizeParams>(context.op.params).over_map) return std::make_unique<NormalizeMapStep>(context);
  return std::make_unique<NormalizePixelsStep>(context);
}

}  // namespace mcpruner
