#include "delegate/cpu/kernels/mirror_pad/mirror_pad_step.h"

#include <algorithm>

#include "delegate/graph/mirrored.h"

namespace mcpruner {
namespace {

class MirrorPadStep : public Step {
 public:
  explicit MirrorPadStep(const StepContext& context)
      : Step("mirror_pad", context.num_threads),
        input_(context.input(0)),
        output_(context.output()),
        params_(std::get<MirrorPadParams>(context.op.params)) {}

  void Run(int share) const override {
    const HcwLayout& out = output_.layout;
    const Range rows = EvenShare(out.n * out.h, share, num_shares());
    for (int row = rows.begin; row < rows.end; ++row) {
      for (int c = 0; c < out.c; ++c) PadRow(row / out.h, row % out.h, c);
    }
  }

 private:
  // Returns where an index of the output lies in the input, along one of the dimensions N, H, W, C.
  int Source(int index, size_t dimension, int size) const {
    return Mirrored(index - params_.before[dimension], size, params_.with_edge);
  }

  void PadRow(int n, int y, int c) const {
    const HcwLayout &in = input_.layout, &out = output_.layout;
    const int from_y = Source(y, 1, in.h);
    const float* const from =
        input_.Rows(Source(n, 0, in.n), {from_y, from_y + 1}) + ptrdiff_t{Source(c, 3, in.c)} * in.pitch;
    float* const to = output_.Rows(n, {y, y + 1}) + ptrdiff_t{c} * out.pitch;
    const int before = params_.before[2];
    std::fill_n(to - out.border.left, out.border.left, 0.0f);
    for (int x = 0; x < before; ++x) to[x] = from[Source(x, 2, in.w)];
    std::copy_n(from, in.w, to + before);
    for (int x = before + in.w; x < out.w; ++x) to[x] = from[Source(x, 2, in.w)];
    std::fill_n(to + out.w, out.fill(), 0.0f);
  }

  const TensorRef& input_;
  const TensorRef& output_;
  const MirrorPadParams params_;
};

}  // namespace

std::unique_ptr<Step> MakeMirrorPadStep(const StepContext& context) { return std::make_unique<MirrorPadStep>(context); }

}  // namespace mcpruner
