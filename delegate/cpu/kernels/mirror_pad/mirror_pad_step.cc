#include "delegate/cpu/kernels/mirror_pad/mirror_pad_step.h"

#include <algorithm>

#include "delegate/cpu/kernels/row_step.h"
#include "delegate/graph/mirrored.h"

namespace mcpruner {
namespace {

class MirrorPadStep : public RowStep {
 public:
  explicit MirrorPadStep(const StepContext& context)
      : RowStep("mirror_pad", context), params_(std::get<MirrorPadParams>(context.op.params)) {}

  void Run(int share) const override {
    ForRows(share, [this](int image, int y, float* row) {
      for (int c = 0; c < output().layout.c; ++c) PadRow(image, y, c, row + ptrdiff_t{c} * output().layout.pitch);
    });
  }

 private:
  // Returns where an index of the output lies in the input, along one of the dimensions N, H, W, C.
  int Source(int index, size_t dimension, int size) const {
    return Mirrored(index - params_.before[dimension], size, params_.with_edge);
  }

  void PadRow(int n, int y, int c, float* to) const {
    const HcwLayout &in = input().layout, &out = output().layout;
    const int from_y = Source(y, 1, in.h), before = params_.before[2];
    const float* const from =
        input().Rows(Source(n, 0, in.n), {from_y, from_y + 1}) + ptrdiff_t{Source(c, 3, in.c)} * in.pitch;
    for (int x = 0; x < before; ++x) to[x] = from[Source(x, 2, in.w)];
    std::copy_n(from, in.w, to + before);
    for (int x = before + in.w; x < out.w; ++x) to[x] = from[Source(x, 2, in.w)];
    std::fill_n(to + out.w, out.fill(), 0.0f);
  }

  const MirrorPadParams params_;
};

}  // namespace

std::unique_ptr<Step> MakeMirrorPadStep(const StepContext& context) { return std::make_unique<MirrorPadStep>(context); }

}  // namespace mcpruner
