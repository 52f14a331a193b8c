#include "delegate/cpu/kernels/shuffle/shuffle_step.h"

#include "delegate/cpu/kernels/row_step.h"

namespace mcpruner {
namespace {

class ShuffleStep : public RowStep {
 public:
  explicit ShuffleStep(const StepContext& context)
      : RowStep("shuffle", context), groups_(std::get<ShuffleParams>(context.op.params).groups) {}

  std::optional<RowReach> Reach() const override { return RowReach(); }

  void Run(int share) const override {
    const HcwLayout &in = input().layout, &out = output().layout;
    CopyRowArgs args{};
    args.in_pitch = in.pitch;
    args.out_pitch = ptrdiff_t{groups_} * out.pitch;
    args.channels = out.c / groups_;
    args.width = out.w;
    args.others_between = groups_ > 1 ? 1 : 0;
    args.end = End();
    ForRows(share, [&](int image, int y, float* row) {
      const float* const from = input().Rows(image, {y, y + 1});
      for (int group = 0; group < groups_; ++group) {
        args.in = from + ptrdiff_t{group} * args.channels * in.pitch;
        args.out = row + ptrdiff_t{group} * out.pitch;
        micro_kernels().CopyRow(args);
      }
    });
  }

 private:
  const int groups_;
};

}  // namespace

std::unique_ptr<Step> MakeShuffleStep(const StepContext& context) { return std::make_unique<ShuffleStep>(context); }

}  // namespace mcpruner
