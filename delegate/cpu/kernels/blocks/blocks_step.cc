#include "delegate/cpu/kernels/blocks/blocks_step.h"

#include "delegate/cpu/kernels/row_step.h"

namespace mcpruner {
namespace {

class DepthToSpaceStep : public RowStep {
 public:
  explicit DepthToSpaceStep(const StepContext& context)
      : RowStep("blocks", context), params_(std::get<DepthToSpaceParams>(context.op.params)) {}

  std::optional<RowReach> Reach() const override {
    RowReach reach;
    reach.divisor = params_.block_height;
    return reach;
  }

  void Run(int share) const override {
    const HcwLayout &in = input().layout, &out = output().layout;
    BlocksRowArgs args{};
    args.in_pitch = in.pitch;
    args.out_pitch = out.pitch;
    args.phase_step = ptrdiff_t{out.c} * in.pitch;
    args.channels = out.c;
    args.phases = params_.block_width;
    args.out_width = out.w;
    args.end = End();
    ForRows(share, [&](int image, int y, float* row) {
      const int from = y / params_.block_height, in_block = y % params_.block_height;
      args.in = input().Rows(image, {from, from + 1}) + in_block * params_.block_width * args.phase_step;
      args.out = row;
      micro_kernels().DepthToSpaceRow(args);
    });
  }

 private:
  const DepthToSpaceParams params_;
};

class SpaceToDepthStep : public RowStep {
 public:
  explicit SpaceToDepthStep(const StepContext& context)
      : RowStep("blocks", context), size_(std::get<SpaceToDepthParams>(context.op.params).block_size) {}

  std::optional<RowReach> Reach() const override { return RowReach{size_, 0, size_}; }

  void Run(int share) const override {
    const HcwLayout &in = input().layout, &out = output().layout;
    BlocksRowArgs args{};
    args.in_pitch = in.pitch;
    args.out_pitch = out.pitch;
    args.phase_step = ptrdiff_t{in.c} * out.pitch;
    args.channels = in.c;
    args.phases = size_;
    args.out_width = out.w;
    args.end = End();
    ForRows(share, [&](int image, int y, float* row) {
      const float* const block = input().Rows(image, {y * size_, (y + 1) * size_});
      for (int i = 0; i < size_; ++i) {
        args.in = block + i * in.row_stride();
        args.out = row + i * size_ * args.phase_step;
        micro_kernels().SpaceToDepthRow(args);
      }
    });
  }

 private:
  const int size_;
};

}  // namespace

std::unique_ptr<Step> MakeBlocksStep(const StepContext& context) {
  if (context.op.type == OpType::kDepthToSpace) return std::make_unique<DepthToSpaceStep>(context);
  return std::make_unique<SpaceToDepthStep>(context);
}

}  // namespace mcpruner
