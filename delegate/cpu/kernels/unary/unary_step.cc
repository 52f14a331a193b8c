#include "delegate/cpu/kernels/unary/unary_step.h"

#include "delegate/cpu/kernels/row_step.h"

namespace mcpruner {
namespace {

// kNone for hard swish.
Activation ActivationOf(UnaryFunction function) {
  if (function == UnaryFunction::kRelu) return Activation::kRelu;
  if (function == UnaryFunction::kRelu6) return Activation::kRelu6;
  return function == UnaryFunction::kReluN1To1 ? Activation::kReluN1To1 : Activation::kNone;
}

class UnaryStep : public RowStep {
 public:
  explicit UnaryStep(const StepContext& context)
      : RowStep("unary", context), range_(RangeOf(ActivationOf(std::get<UnaryParams>(context.op.params).function))) {}

  std::optional<RowReach> Reach() const override { return RowReach(); }

  void Run(int share) const override {
    const HcwLayout &in = input().layout, &out = output().layout;
    UnaryRowArgs args{};
    args.in_pitch = in.pitch;
    args.out_pitch = out.pitch;
    args.channels = out.c;
    args.width = out.w;
    args.hard_swish = range_.clamp ? 0 : 1;
    args.end = End();
    args.end.low = range_.low;
    args.end.high = range_.high;
    ForRows(share, [&](int image, int y, float* row) {
      args.in = input().Rows(image, {y, y + 1});
      args.out = row;
      kernels().UnaryRow(args);
    });
  }

 private:
  const ActivationRange range_;
};

}  // namespace

std::unique_ptr<Step> MakeUnaryStep(const StepContext& context) {
  if (std::get<UnaryParams>(context.op.params).function == UnaryFunction::kLogistic) return nullptr;
  return std::make_unique<UnaryStep>(context);
}

}  // namespace mcpruner
