#include "delegate/cpu/kernels/unary/unary_step.h"

#include <string>

#include "delegate/cpu/activation_range.h"

namespace mcpruner {
namespace {

// kNone for hard swish.
Activation ActivationOf(UnaryFunction function) {
  if (function == UnaryFunction::kRelu) return Activation::kRelu;
  if (function == UnaryFunction::kRelu6) return Activation::kRelu6;
  return function == UnaryFunction::kReluN1To1 ? Activation::kReluN1To1 : Activation::kNone;
}

class UnaryStep : public Step {
 public:
  explicit UnaryStep(const StepContext& context)
      : Step(std::string("unary ") + context.kernels.target, context.num_threads),
        kernels_(context.kernels),
        input_(context.input(0)),
        output_(context.output()),
        range_(RangeOf(ActivationOf(std::get<UnaryParams>(context.op.params).function))) {}

  void Run(int share) const override {
    const HcwLayout &in = input_.layout, &out = output_.layout;
    UnaryRowArgs args{};
    args.in_pitch = in.pitch;
    args.out_pitch = out.pitch;
    args.channels = out.c;
    args.width = out.w;
    args.hard_swish = range_.clamp ? 0 : 1;
    args.low = range_.low;
    args.high = range_.high;
    args.zeros_before = out.border.left;
    args.zeros_behind = out.fill();
    const Range rows = EvenShare(out.n * out.h, share, num_shares());
    for (int row = rows.begin; row < rows.end; ++row) {
      args.in = input_.data + in.Pixel(row / out.h, row % out.h, 0, 0);
      args.out = output_.data + out.Pixel(row / out.h, row % out.h, 0, 0);
      kernels_.UnaryRow(args);
    }
  }

 private:
  const KernelTable& kernels_;
  const TensorRef& input_;
  const TensorRef& output_;
  const ActivationRange range_;
};

}  // namespace

std::unique_ptr<Step> MakeUnaryStep(const StepContext& context) {
  if (std::get<UnaryParams>(context.op.params).function == UnaryFunction::kLogistic) return nullptr;
  return std::make_unique<UnaryStep>(context);
}

}  // namespace mcpruner
