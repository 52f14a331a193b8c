#include "delegate/cpu/kernels/unary/unary_step.h"

#include "delegate/cpu/kernels/row_step.h"

namespace mcpruner {
namespace {

class UnaryStep : public RowStep {
 public:
  explicit UnaryStep(const StepContext& context)
      : RowStep("unary", context),
        params_(std::get<UnaryParams>(context.op.params)),
        range_(RangeOf(ActivationOf(params_.function))) {}

  std::optional<RowReach> Reach() const override { return RowReach(); }

  void Run(int share) const override {
    const HcwLayout &in = input().layout, &out = output().layout;
    UnaryRowArgs args{};
    args.in_pitch = in.pitch;
    args.out_pitch = out.pitch;
    args.channels = out.c;
    args.width = out.w;
    args.function = params_.function;
    args.alpha = params_.alpha;
    args.end = End();
    args.end.low = range_.low;
    args.end.high = range_.high;
    ForRows(share, [&](int image, int y, float* row) {
      args.in = input().Rows(image, {y, y + 1});
      args.out = row;
      micro_kernels().UnaryRow(args);
    });
  }

 private:
  const UnaryParams params_;
  const ActivationRange range_;  // of a clamp
};

}  // namespace

std::unique_ptr<Step> MakeUnaryStep(const StepContext& context) { return std::make_unique<UnaryStep>(context); }

}  // namespace mcpruner
