#include "delegate/cpu/kernels/reduce/reduce_step.h"

#include <string>

#include "delegate/cpu/kernels/micro_kernels.h"
#include "delegate/cpu/kernels/row_step.h"

namespace mcpruner {
namespace {

// Makes each row of the output of one row of the input: over channels, columns or both.
class ReduceRowsStep : public RowStep {
 public:
  explicit ReduceRowsStep(const StepContext& context)
      : RowStep("reduce", context),
        params_(std::get<ReduceParams>(context.op.params)),
        function_(ReduceFunctionOf(context.op.type)) {}

  std::optional<RowReach> Reach() const override { return RowReach(); }

  void Run(int share) const override {
    const HcwLayout &in = input().layout, &out = output().layout;
    ReduceLinesArgs args{};
    args.in_line_stride = args.term_stride = in.pitch;
    args.out_line_stride = out.pitch;
    args.lines = out.c;
    args.terms = params_.channels ? in.c : 1;
    args.width = in.w;
    args.over_columns = params_.columns ? 1 : 0;
    if (in.w == 1 && in.pitch == 1 && params_.channels) {  // the channels of a pixel are one vector
      args.terms = 1;
      args.width = in.c;
      args.over_columns = 1;
    }
    args.function = function_;
    args.end = End();
    ForRows(share, [&](int image, int y, float* row) {
      args.in = input().Rows(image, {y, y + 1});
      args.out = row;
      micro_kernels().ReduceLines(args);
    });
  }

 private:
  const ReduceParams params_;
  const ReduceFunction function_;
};

// Makes each channel of the output of one channel of the input: over rows, or rows and columns. Where the input has one
// row, over columns alone is the same as over both.
class ReduceChannelsStep : public Step {
 public:
  explicit ReduceChannelsStep(const StepContext& context)
      : Step(std::string("reduce ") + context.micro_kernels.target, context.num_threads),
        micro_kernels_(context.micro_kernels),
        input_(context.input(0)),
        output_(context.output()),
        params_(std::get<ReduceParams>(context.op.params)),
        function_(ReduceFunctionOf(context.op.type)) {}

  void Run(int share) const override {
    const HcwLayout &in = input_.layout, &out = output_.layout;
    const Range channels = EvenShare(in.c, share, num_shares());
    ReduceLinesArgs args{};
    args.in_line_stride = in.pitch;
    args.out_line_stride = out.pitch;
    args.term_stride = in.row_stride();
    args.lines = channels.end - channels.begin;
    args.terms = in.h;
    args.width = in.w;
    args.over_columns = params_.columns ? 1 : 0;
    args.function = function_;
    args.end.zeros_behind = out.fill();
    for (int image = 0; image < in.n; ++image) {
      args.in = input_.Rows(image, {0, in.h}) + ptrdiff_t{channels.begin} * in.pitch;
      args.out = output_.Rows(image, {0, 1}) + ptrdiff_t{channels.begin} * out.pitch;
      micro_kernels_.ReduceLines(args);
    }
  }

 private:
  const MicroKernels& micro_kernels_;
  const TensorRef& input_;
  const TensorRef& output_;
  const ReduceParams params_;
  const ReduceFunction function_;
};

}  // namespace

std::unique_ptr<Step> MakeReduceStep(const StepContext& context) {
  const auto& params = std::get<ReduceParams>(context.op.params);
  // A single row cannot be shared by threads; its channels can.
  const bool is_one_row = context.input(0).layout.h == 1 && !params.channels;
  if (params.rows || is_one_row) return std::make_unique<ReduceChannelsStep>(context);
  return std::make_unique<ReduceRowsStep>(context);
}

}  // namespace mcpruner
