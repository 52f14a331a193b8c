#include "delegate/cpu/kernels/binary/binary_step.h"

#include "delegate/cpu/kernels/row_step.h"

namespace mcpruner {
namespace {

class BinaryStep : public RowStep {
 public:
  explicit BinaryStep(const StepContext& context)
      : RowStep("binary", context), b_(context.input(1)), function_(BinaryFunctionOf(context.op.type)) {}

  std::optional<RowReach> Reach() const override {
    const HcwLayout &a = input().layout, &out = output().layout;
    if (a.n != out.n || a.h != out.h) return std::nullopt;
    return RowReach();
  }

  void Run(int share) const override {
    const HcwLayout &a = input().layout, &b = b_.layout, &out = output().layout;
    BinaryRowArgs args{};
    args.a_pitch = a.c == 1 ? 0 : a.pitch;
    args.b_pitch = b.c == 1 ? 0 : b.pitch;
    args.out_pitch = out.pitch;
    args.a_step = a.w == 1 ? 0 : 1;
    args.b_step = b.w == 1 ? 0 : 1;
    args.channels = out.c;
    args.width = out.w;
    args.function = function_;
    args.end = End();
    ForRows(share, [&](int image, int y, float* row) {
      args.a = RowOf(input(), image, y);
      args.b = RowOf(b_, image, y);
      args.out = row;
      micro_kernels().BinaryRow(args);
    });
  }

 private:
  static const float* RowOf(const TensorRef& tensor, int image, int y) {
    const int row = tensor.layout.h == 1 ? 0 : y;
    return tensor.Rows(tensor.layout.n == 1 ? 0 : image, {row, row + 1});
  }

  const TensorRef& b_;
  const BinaryFunction function_;
};

}  // namespace

std::unique_ptr<Step> MakeBinaryStep(const StepContext& context) { return std::make_unique<BinaryStep>(context); }

}  // namespace mcpruner
