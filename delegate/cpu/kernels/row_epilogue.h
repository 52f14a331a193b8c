// A RowEpilogue applies the epilogue of an op to rows that were just made, in place.

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
  explicit RowEpilogue(const std::optional<Epilogue>& epilogue) : epilogue_(epilogue) {
    if (!exists() || epilogue_->alphas == nullptr) return;
    alphas_ = *epilogue_->alphas;
    alphas_.resize(alphas_.size() + kSlackFloats);  // micro-kernels read whole vectors
  }

  bool exists() const { return epilogue_.has_value(); }
  UnaryFunction function() const { return epilogue_->unary.function; }
  float alpha() const { return epilogue_->unary.alpha; }
  // Returns an alpha for each channel, or null where all have the same.
  const float* alphas() const { return alphas_.empty() ? nullptr : alphas_.data(); }

  // Applies it, which must exist, to a row of all channels. `row` is pixel 0 of channel 0.
  void Apply(const MicroKernels& micro_kernels, const HcwLayout& layout, float* row) const {
    const RowEnd end{0, 0.0f, 0.0f, layout.border.left, layout.fill()};
    if (alphas_.empty()) {
      micro_kernels.UnaryRow({row, row, layout.pitch, layout.pitch, layout.c, layout.w, function(), alpha(), end});
    } else {
      micro_kernels.BinaryRow(
          {row, alphas(), row, layout.pitch, 1, layout.pitch, 1, 0, layout.c, layout.w, BinaryFunction::kPrelu, end});
    }
  }

 private:
  const std::optional<Epilogue> epilogue_;
  std::vector<float> alphas_;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_ROW_EPILOGUE_H_
