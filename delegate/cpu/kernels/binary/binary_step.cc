#include "delegate/cpu/kernels/binary/binary_step.h"

#include <string>

#include "delegate/cpu/activation_range.h"

namespace mcpruner {
namespace {

BinaryFunction FunctionOf(OpType type) {
  return type == OpType::kAdd ? kBinaryAdd : type == OpType::kMul ? kBinaryMul : kBinarySub;
}

class BinaryStep : public Step {
 public:
  explicit BinaryStep(const StepContext& context)
      : Step(std::string("binary ") + context.kernels.target, context.num_threads),
        kernels_(context.kernels),
        a_(context.input(0)),
        b_(context.input(1)),
        output_(context.output()),
        function_(FunctionOf(context.op.type)),
        activation_(RangeOf(context.op.activation)) {}

  void Run(int share) const override {
    const HcwLayout& out = output_.layout;
    BinaryRowArgs args{};
    args.a_pitch = a_.layout.c == 1 ? 0 : a_.layout.pitch;
    args.b_pitch = b_.layout.c == 1 ? 0 : b_.layout.pitch;
    args.out_pitch = out.pitch;
    args.a_step = a_.layout.w == 1 ? 0 : 1;
    args.b_step = b_.layout.w == 1 ? 0 : 1;
    args.channels = out.c;
    args.width = out.w;
    args.function = function_;
    args.clamp = activation_.clamp ? 1 : 0;
    args.low = activation_.low;
    args.high = activation_.high;
    args.zeros_before = out.border.left;
    args.zeros_behind = out.fill();
    const Range rows = EvenShare(out.n * out.h, share, num_shares());
    for (int row = rows.begin; row < rows.end; ++row) {
      const int image = row / out.h, y = row % out.h;
      args.a = RowOf(a_, image, y);
      args.b = RowOf(b_, image, y);
      args.out = output_.data + out.Pixel(image, y, 0, 0);
      kernels_.BinaryRow(args);
    }
  }

 private:
  static const float* RowOf(const TensorRef& tensor, int image, int y) {
    const HcwLayout& layout = tensor.layout;
    return tensor.data + layout.Pixel(layout.n == 1 ? 0 : image, layout.h == 1 ? 0 : y, 0, 0);
  }

  const KernelTable& kernels_;
  const TensorRef& a_;
  const TensorRef& b_;
  const TensorRef& output_;
  const BinaryFunction function_;
  const ActivationRange activation_;
};

}  // namespace

std::unique_ptr<Step> MakeBinaryStep(const StepContext& context) { return std::make_unique<BinaryStep>(context); }

}  // namespace mcpruner
