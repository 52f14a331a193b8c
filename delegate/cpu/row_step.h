// A step that computes its output row by row: threads share the rows of all images out evenly.

#ifndef MCPRUNER_DELEGATE_CPU_ROW_STEP_H_
#define MCPRUNER_DELEGATE_CPU_ROW_STEP_H_

#include <string>

#include "delegate/cpu/activation_range.h"
#include "delegate/cpu/kernels/row_args.h"
#include "delegate/cpu/step.h"

namespace mcpruner {

class RowStep : public Step {
 protected:
  // `kind` begins the kernel's name: "pool avx512".
  RowStep(const char* kind, const StepContext& context)
      : Step(std::string(kind) + " " + context.kernels.target, context.num_threads),
        kernels_(context.kernels),
        input_(context.input(0)),
        output_(context.output()),
        activation_(RangeOf(context.op.activation)) {}

  const KernelTable& kernels() const { return kernels_; }
  const TensorRef& input() const { return input_; }
  const TensorRef& output() const { return output_; }

  RowEnd End() const {
    const HcwLayout& out = output_.layout;
    return {activation_.clamp ? 1 : 0, activation_.low, activation_.high, out.border.left, out.fill()};
  }

  // Calls f(image, y, pixel 0 of channel 0 of that output row) for each row of a share.
  template <class Function>
  void ForRows(int share, const Function& f) const {
    const HcwLayout& out = output_.layout;
    const Range rows = EvenShare(out.n * out.h, share, num_shares());
    for (int row = rows.begin; row < rows.end; ++row) {
      const int image = row / out.h, y = row % out.h;
      f(image, y, output_.data + out.Pixel(image, y, 0, 0));
    }
  }

 private:
  const KernelTable& kernels_;
  const TensorRef& input_;
  const TensorRef& output_;
  const ActivationRange activation_;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_ROW_STEP_H_
