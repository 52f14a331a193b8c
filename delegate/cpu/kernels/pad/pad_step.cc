#include "delegate/cpu/kernels/pad/pad_step.h"

#include <algorithm>

#include "delegate/cpu/kernels/row_step.h"

namespace mcpruner {
namespace {

class PadStep : public RowStep {
 public:
  explicit PadStep(const StepContext& context)
      : RowStep("pad", context), params_(std::get<PadParams>(context.op.params)) {}

  void Run(int share) const override {
    const HcwLayout &in = input().layout, &out = output().layout;
    CopyRowArgs args{};
    args.in_pitch = in.pitch;
    args.out_pitch = out.pitch;
    args.channels = in.c;
    args.width = in.w;
    args.end = End();
    args.zeros_before = params_.before[2];
    args.end.zeros_behind += params_.after[2];
    ForRows(share, [&](int image, int y, float* row) {
      const int from_image = image - params_.before[0], from_y = y - params_.before[1];
      if (from_image < 0 || from_image >= in.n || from_y < 0 || from_y >= in.h) return FillChannels(row, 0, out.c);
      FillChannels(row, 0, params_.before[3]);
      args.in = input().Rows(from_image, {from_y, from_y + 1});
      args.out = row + ptrdiff_t{params_.before[3]} * out.pitch + params_.before[2];
      micro_kernels().CopyRow(args);
      if (params_.value != 0.0f) FillBeside(args.out);
      FillChannels(row, params_.before[3] + in.c, out.c);
    });
  }

 private:
  // Writes whole channels begin .. end - 1 of a row.
  void FillChannels(float* row, int begin, int end) const {
    const HcwLayout& out = output().layout;
    float* const first = row + ptrdiff_t{begin} * out.pitch;
    std::fill_n(first, ptrdiff_t{end - begin} * out.pitch, 0.0f);
    if (params_.value == 0.0f) return;
    for (int c = 0; c < end - begin; ++c) std::fill_n(first + ptrdiff_t{c} * out.pitch, out.w, params_.value);
  }

  // Writes the columns on both sides of each channel of the input. `first` is where its pixels begin.
  void FillBeside(float* first) const {
    const HcwLayout &in = input().layout, &out = output().layout;
    for (int c = 0; c < in.c; ++c, first += out.pitch) {
      std::fill_n(first - params_.before[2], params_.before[2], params_.value);
      std::fill_n(first + in.w, params_.after[2], params_.value);
    }
  }

  const PadParams params_;
};

}  // namespace

std::unique_ptr<Step> MakePadStep(const StepContext& context) { return std::make_unique<PadStep>(context); }

}  // namespace mcpruner
