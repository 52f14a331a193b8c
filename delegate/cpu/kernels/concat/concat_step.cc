#include "delegate/cpu/kernels/concat/concat_step.h"

#include <vector>

#include "delegate/cpu/kernels/copy/copy_step.h"

namespace mcpruner {
namespace {

class ConcatStep : public CopyStep {
 public:
  explicit ConcatStep(const StepContext& context) : CopyStep("concat", context) {
    for (size_t i = 0; i < context.op.inputs.size(); ++i) inputs_.push_back(&context.input(i));
  }

  std::optional<RowReach> Reach() const override { return RowReach(); }

  void Run(int share) const override {
    ForRows(share, [this](int image, int y, float* to) {
      for (const TensorRef* input : inputs_) {
        const HcwLayout& in = input->layout;
        CopyChannels(input->Rows(image, {y, y + 1}), in.pitch, in.c, to);
        to += ptrdiff_t{in.c} * output().layout.pitch;
      }
    });
  }

 private:
  std::vector<const TensorRef*> inputs_;
};

}  // namespace

std::unique_ptr<Step> MakeConcatStep(const StepContext& context) {
  if (std::get<ConcatParams>(context.op.params).axis != 3) return nullptr;
  return std::make_unique<ConcatStep>(context);
}

}  // namespace mcpruner
