#include "delegate/cpu/kernels/strided_slice/strided_slice_step.h"

#include <algorithm>
#include <array>

#include "delegate/cpu/kernels/copy/copy_step.h"

namespace mcpruner {
namespace {

// A stride that no second element needs may be any number; it is 1 here, so that no product is too large.
StridedSliceParams WithNeededStrides(StridedSliceParams params) {
  for (size_t i = 0; i < 4; ++i) {
    if (params.size[i] <= 1) params.stride[i] = 1;
  }
  return params;
}

class StridedSliceStep : public CopyStep {
 public:
  explicit StridedSliceStep(const StepContext& context)
      : CopyStep("slice", context), params_(WithNeededStrides(std::get<StridedSliceParams>(context.op.params))) {}

  std::optional<RowReach> Reach() const override {
    const bool all_images = params_.size[0] == input().layout.n && params_.stride[0] == 1;
    if (!all_images || params_.stride[1] < 1) return std::nullopt;
    return RowReach{params_.stride[1], -params_.begin[1], 1, 1};
  }

  void Run(int share) const override {
    const std::array<int, 4>&begin = params_.begin, &stride = params_.stride;
    const HcwLayout &in = input().layout, &out = output().layout;
    ForRows(share, [&](int image, int y, float* row) {
      const int from_y = begin[1] + y * stride[1];
      const float* from = input().Rows(begin[0] + image * stride[0], {from_y, from_y + 1});
      from += ptrdiff_t{begin[3]} * in.pitch + begin[2];
      const ptrdiff_t pitch = ptrdiff_t{stride[3]} * in.pitch;
      if (stride[2] == 1) return CopyChannels(from, pitch, out.c, row);
      for (int c = 0; c < out.c; ++c) CopyWithStride(from + c * pitch, row + ptrdiff_t{c} * out.pitch);
    });
  }

 private:
  void CopyWithStride(const float* from, float* to) const {
    const HcwLayout& out = output().layout;
    const ptrdiff_t stride = params_.stride[2];
    for (int x = 0; x < out.w; ++x) to[x] = from[x * stride];
    std::fill_n(to + out.w, out.fill(), 0.0f);
  }

  const StridedSliceParams params_;
};

}  // namespace

std::unique_ptr<Step> MakeStridedSliceStep(const StepContext& context) {
  return std::make_unique<StridedSliceStep>(context);
}

}  // namespace mcpruner
