#include "delegate/cpu/kernels/pad/pad_step.h"

#include <algorithm>

namespace mcpruner {
namespace {

class PadStep : public Step {
 public:
  explicit PadStep(const StepContext& context)
      : Step("pad", context.num_threads),
        input_(context.input(0)),
        output_(context.output()),
        params_(std::get<PadParams>(context.op.params)) {}

  void Run(int share) const override {
    const HcwLayout& out = output_.layout;
    const Range rows = EvenShare(out.n * out.h, share, num_shares());
    for (int row = rows.begin; row < rows.end; ++row) {
      for (int c = 0; c < out.c; ++c) PadRow(row / out.h, row % out.h, c);
    }
  }

 private:
  void PadRow(int n, int y, int c) const {
    const HcwLayout &in = input_.layout, &out = output_.layout;
    float* to = output_.Rows(n, {y, y + 1}) + ptrdiff_t{c} * out.pitch;
    std::fill_n(to - out.border.left, out.border.left, 0.0f);
    const int from_n = n - params_.before[0], from_y = y - params_.before[1], from_c = c - params_.before[3];
    const bool inside = from_n >= 0 && from_n < in.n && from_y >= 0 && from_y < in.h && from_c >= 0 && from_c < in.c;
    if (inside) {
      to = std::fill_n(to, params_.before[2], params_.value);
      const float* const from = input_.Rows(from_n, {from_y, from_y + 1}) + ptrdiff_t{from_c} * in.pitch;
      to = std::copy_n(from, in.w, to);
      to = std::fill_n(to, params_.after[2], params_.value);
    } else {
      to = std::fill_n(to, out.w, params_.value);
    }
    std::fill_n(to, out.fill(), 0.0f);
  }

  const TensorRef& input_;
  const TensorRef& output_;
  const PadParams params_;
};

}  // namespace

std::unique_ptr<Step> MakePadStep(const StepContext& context) { return std::make_unique<PadStep>(context); }

}  // namespace mcpruner
