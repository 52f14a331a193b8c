#include "delegate/cpu/kernels/unary/unary_step.h"

#include "delegate/cpu/kernels/row_step.h"

namespace mcpruner {
namespace {

// The kernel of a function, and of a clamp its range.
struct Plan {
  UnaryKernel kernel;
  ActivationRange range = {};
};
Plan PlanOf(UnaryFunction function) {
  switch (function) {
    case UnaryFunction::kRelu:
      return {kUnaryClamp, RangeOf(Activation::kRelu)};
    case UnaryFunction::kReluN1To1:
      return {kUnaryClamp, RangeOf(Activation::kReluN1To1)};
    case UnaryFunction::kRelu6:
      return {kUnaryClamp, RangeOf(Activation::kRelu6)};
    case UnaryFunction::kHardSwish:
      return {kUnaryHardSwish};
    case UnaryFunction::kLogistic:
      return {kUnaryLogistic};
  }
  return {kUnaryClamp};
}

class UnaryStep : public RowStep {
 public:
  explicit UnaryStep(const StepContext& context)
      : RowStep("unary", context), plan_(PlanOf(std::get<UnaryParams>(context.op.params).function)) {}

  std::optional<RowReach> Reach() const override { return RowReach(); }

  void Run(int share) const override {
    const HcwLayout &in = input().layout, &out = output().layout;
    UnaryRowArgs args{};
    args.in_pitch = in.pitch;
    args.out_pitch = out.pitch;
    args.channels = out.c;
    args.width = out.w;
    args.function = plan_.kernel;
    args.end = End();
    args.end.low = plan_.range.low;
    args.end.high = plan_.range.high;
    ForRows(share, [&](int image, int y, float* row) {
      args.in = input().Rows(image, {y, y + 1});
      args.out = row;
      kernels().UnaryRow(args);
    });
  }

 private:
  const Plan plan_;
};

}  // namespace

std::unique_ptr<Step> MakeUnaryStep(const StepContext& context) { return std::make_unique<UnaryStep>(context); }

}  // namespace mcpruner
