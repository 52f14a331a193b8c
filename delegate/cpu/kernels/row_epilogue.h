// A RowEpilogue applies the epilogue of an op: in the registers of micro-kernels that can, or in place to rows that
// were just made.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_ROW_EPILOGUE_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_ROW_EPILOGUE_H_

#include <optional>
#include <vector>

#include "delegate/cpu/kernels/micro_kernels.h"
#include "delegate/cpu/step/layout.h"
#include "delegate/graph/graph.h"

namespace mcpruner {

class RowEpilogue {
 public:
  // `channels` are those of the op's output.
  RowEpilogue(const std::optional<Epilogue>& epilogue, int channels) : epilogue_(epilogue) {
    if (!exists() || function() != UnaryFunction::kLeakyRelu) return;
    alphas_.assign(static_cast<size_t>(channels), epilogue_->unary.alpha);
    if (epilogue_->alphas != nullptr) alphas_ = *epilogue_->alphas;
    alphas_.resize(alphas_.size() + kSlackFloats);  // micro-kernels read whole vectors
  }

  bool exists() const { return epilogue_.has_value(); }
  UnaryFunction function() const { return epilogue_->unary.function; }

  // Returns it as micro-kernels apply it in registers: kNone if they cannot.
  StoreEpilogue in_registers() const {
    if (!exists()) return {StoreFunction::kNone, nullptr};
    if (function() == UnaryFunction::kLeakyRelu) return {StoreFunction::kLeakyRelu, alphas_.data()};
    if (function() == UnaryFunction::kHardSwish) return {StoreFunction::kHardSwish, nullptr};
    return {StoreFunction::kNone, nullptr};
  }
  // Returns whether there is one that micro-kernels cannot apply in registers.
  bool needs_pass() const { return exists() && in_registers().function == StoreFunction::kNone; }

  // Applies it, which must exist, to a row of all channels. `row` is pixel 0 of channel 0.
  void Apply(const MicroKernels& micro_kernels, const HcwLayout& layout, float* row) const {
    const RowEnd end{0, 0.0f, 0.0f, layout.fill()};
    if (alphas_.empty()) {
      micro_kernels.UnaryRow({row, row, layout.pitch, layout.pitch, layout.c, layout.w, function(), 0.0f, end});
    } else {
      micro_kernels.BinaryRow({row, alphas_.data(), row, layout.pitch, 1, layout.pitch, 1, 0, layout.c, layout.w,
                               BinaryFunction::kPrelu, end});
    }
  }

 private:
  const std::optional<Epilogue> epilogue_;
  std::vector<float> alphas_;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_ROW_EPILOGUE_H_
