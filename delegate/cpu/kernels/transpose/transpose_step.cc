#include "delegate/cpu/kernels/transpose/transpose_step.h"

#include <algorithm>
#include <array>

#include "delegate/cpu/kernels/row_step.h"

namespace mcpruner {
namespace {

constexpr int kBlock = 16;  // columns and channels that change places together: 16 cache lines on either side

class TransposeStep : public RowStep {
 public:
  explicit TransposeStep(const StepContext& context)
      : RowStep("transpose", context), order_(std::get<TransposeParams>(context.op.params).order) {
    const HcwLayout& in = input().layout;
    const std::array<ptrdiff_t, 4> strides{in.image_stride(), in.row_stride(), 1, in.pitch};
    for (size_t i = 0; i < 4; ++i) strides_[i] = strides[static_cast<size_t>(order_[i])];
  }

  std::optional<RowReach> Reach() const override {
    return KeepsRows() ? std::optional<RowReach>(RowReach()) : std::nullopt;
  }

  void Run(int share) const override {
    const HcwLayout& out = output().layout;
    ForRows(share, [&](int image, int y, float* row) {
      for (int c = 0; c < out.c; ++c) {
        float* const to = row + ptrdiff_t{c} * out.pitch;
        std::fill_n(to - out.border.left, out.border.left, 0.0f);
        std::fill_n(to + out.w, out.fill(), 0.0f);
      }
      CopyRow(RowFrom(image, y), row);
    });
  }

 private:
  bool KeepsRows() const { return order_[0] == 0 && order_[1] == 1; }

  // Returns the element of the input that pixel 0 of channel 0 of an output row is. Of streamed rows, no others are
  // there.
  const float* RowFrom(int image, int y) const {
    if (KeepsRows()) return input().Rows(image, {y, y + 1});
    return input().Rows(0, {0, input().layout.h}) + image * strides_[0] + y * strides_[1];
  }

  void CopyRow(const float* from, float* to) const {
    const HcwLayout& out = output().layout;
    if (strides_[2] == 1) {
      for (int c = 0; c < out.c; ++c) std::copy_n(from + c * strides_[3], out.w, to + ptrdiff_t{c} * out.pitch);
      return;
    }
    for (int first_c = 0; first_c < out.c; first_c += kBlock) {
      const int last_c = std::min(out.c, first_c + kBlock);
      for (int first_x = 0; first_x < out.w; first_x += kBlock) {
        const int last_x = std::min(out.w, first_x + kBlock);
        for (int c = first_c; c < last_c; ++c) {
          for (int x = first_x; x < last_x; ++x) {
            to[ptrdiff_t{c} * out.pitch + x] = from[c * strides_[3] + x * strides_[2]];
          }
        }
      }
    }
  }

  const std::array<int, 4> order_;
  std::array<ptrdiff_t, 4> strides_{};  // in the input, of the output's N, H, W, C
};

}  // namespace

std::unique_ptr<Step> MakeTransposeStep(const StepContext& context) { return std::make_unique<TransposeStep>(context); }

}  // namespace mcpruner
