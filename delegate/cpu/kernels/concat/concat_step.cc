#include "delegate/cpu/kernels/concat/concat_step.h"

#include <algorithm>
#include <vector>

namespace mcpruner {
namespace {

class ConcatStep : public Step {
 public:
  explicit ConcatStep(const StepContext& context) : Step("concat", context.num_threads), output_(context.output()) {
    for (size_t i = 0; i < context.op.inputs.size(); ++i) inputs_.push_back(&context.input(i));
  }

  void Run(int share) const override {
    const HcwLayout& out = output_.layout;
    const Range rows = EvenShare(out.n * out.h, share, num_shares());
    for (int row = rows.begin; row < rows.end; ++row) {
      int channel = 0;
      for (const TensorRef* input : inputs_) {
        for (int c = 0; c < input->layout.c; ++c) CopyRow(*input, row / out.h, row % out.h, c, channel++);
      }
    }
  }

 private:
  void CopyRow(const TensorRef& input, int n, int y, int from, int channel) const {
    const HcwLayout& out = output_.layout;
    float* to = output_.Rows(n, {y, y + 1}) + ptrdiff_t{channel} * out.pitch;
    std::fill_n(to - out.border.left, out.border.left, 0.0f);
    to = std::copy_n(input.Rows(n, {y, y + 1}) + ptrdiff_t{from} * input.layout.pitch, out.w, to);
    std::fill_n(to, out.fill(), 0.0f);
  }

  std::vector<const TensorRef*> inputs_;
  const TensorRef& output_;
};

}  // namespace

std::unique_ptr<Step> MakeConcatStep(const StepContext& context) {
  if (std::get<ConcatParams>(context.op.params).axis != 3) return nullptr;
  return std::make_unique<ConcatStep>(context);
}

}  // namespace mcpruner
