// A RowStep computes its output row by row. Its shares are ranges of the rows of all images.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_ROW_STEP_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_ROW_STEP_H_

#include <string>
#include <vector>

#include "delegate/cpu/kernels/micro_kernels.h"
#include "delegate/cpu/kernels/row_args.h"
#include "delegate/cpu/kernels/row_epilogue.h"
#include "delegate/cpu/step/step.h"
#include "delegate/graph/activation_range.h"

namespace mcpruner {

class RowStep : public Step {
 protected:
  // `kind` is the first word of the kernel's name: "pool" in "pool avx512".
  RowStep(const char* kind, const StepContext& context)
      : Step(std::string(kind) + " " + context.micro_kernels.target, context.NumShares()),
        micro_kernels_(context.micro_kernels),
        input_(context.input(0)),
        output_(context.output()),
        activation_(RangeOf(context.op.activation)),
        epilogue_(context.op.epilogue, output_.layout.c),
        shares_run_in_turn_(!context.row_shares.empty()),
        rows_(context.row_shares.begin(), context.row_shares.end()) {
    const HcwLayout& out = output_.layout;
    if (shares_run_in_turn_) return;
    for (int share = 0; share < num_shares(); ++share) rows_.push_back(EvenShare(out.n * out.h, share, num_shares()));
  }

  const MicroKernels& micro_kernels() const { return micro_kernels_; }
  const TensorRef& input() const { return input_; }
  const TensorRef& output() const { return output_; }
  const RowEpilogue& epilogue() const { return epilogue_; }

  // A workspace is a piece of scratch. Shares that may run at the same time have workspaces of their own.
  int num_workspaces() const { return shares_run_in_turn_ ? 1 : num_shares(); }
  int WorkspaceOf(int share) const { return shares_run_in_turn_ ? 0 : share; }

  RowEnd End() const { return {activation_.clamp ? 1 : 0, activation_.low, activation_.high, output_.layout.fill()}; }

  // Applies the epilogue, where there is one, to rows that were made; `first` is pixel 0 of channel 0 of the first one.
  void ApplyEpilogue(float* first, int rows) const {
    if (!epilogue_.exists()) return;
    for (int r = 0; r < rows; ++r) {
      epilogue_.Apply(micro_kernels_, output_.layout, first + r * output_.layout.row_stride());
    }
  }

  // For each image that a share has rows of, calls f(image, first row, number of rows, pixel 0 of channel 0 of the
  // first row). The epilogue is left to f.
  template <class Function>
  void ForRowRanges(int share, const Function& f) const {
    ForEachImage(rows_[static_cast<size_t>(share)], output_.layout.h, [&](int image, Range rows) {
      f(image, rows.begin, rows.end - rows.begin, output_.Rows(image, rows));
    });
  }

  // For each row of a share, calls f(image, y, pixel 0 of channel 0 of that output row) and applies the epilogue.
  template <class Function>
  void ForRows(int share, const Function& f) const {
    ForRowRanges(share, [&](int image, int y, int count, float* first) {
      for (int i = 0; i < count; ++i) {
        float* const row = first + i * output_.layout.row_stride();
        f(image, y + i, row);
        ApplyEpilogue(row, 1);
      }
    });
  }

 private:
  const MicroKernels& micro_kernels_;
  const TensorRef& input_;
  const TensorRef& output_;
  const ActivationRange activation_;
  const RowEpilogue epilogue_;
  const bool shares_run_in_turn_;
  std::vector<Range> rows_;  // of each share
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_ROW_STEP_H_
