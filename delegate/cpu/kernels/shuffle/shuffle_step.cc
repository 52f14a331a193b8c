#include "delegate/cpu/kernels/shuffle/shuffle_step.h"

#include <algorithm>

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
    const int each = out.c / groups_;
    ForRows(share, [&](int image, int y, float* row) {
      const float* const from = input().Rows(image, {y, y + 1});
      for (int c = 0; c < out.c; ++c) {
        float* to = row + ptrdiff_t{c} * out.pitch;
        std::fill_n(to - out.border.left, out.border.left, 0.0f);
        to = std::copy_n(from + ptrdiff_t{c % groups_ * each + c / groups_} * in.pitch, out.w, to);
        std::fill_n(to, out.fill(), 0.0f);
      }
    });
  }

 private:
  const int groups_;
};

}  // namespace

std::unique_ptr<Step> MakeShuffleStep(const StepContext& context) { return std::make_unique<ShuffleStep>(context); }

}  // namespace mcpruner
