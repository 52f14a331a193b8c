#include "delegate/cpu/kernels/concat/reference.h"

#include <array>

namespace mcpruner {

void ConcatReference(const Graph& graph, const Op& op, Span<const float* const> inputs, float* y) {
  const size_t axis = static_cast<size_t>(std::get<ConcatParams>(op.params).axis);
  const Shape& out = graph.tensor(op.output).shape;
  std::array<int, 4> begin{};  // where the current input begins within the output
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Shape& in = graph.tensor(op.inputs[i]).shape;
    const float* x = inputs[i];
    for (int n = 0; n < in.n; ++n) {
      for (int h = 0; h < in.h; ++h) {
        for (int w = 0; w < in.w; ++w) {
          for (int c = 0; c < in.c; ++c) y[out.index(n + begin[0], h + begin[1], w + begin[2], c + begin[3])] = *x++;
        }
      }
    }
    const std::array<int, 4> dims{in.n, in.h, in.w, in.c};
    begin[axis] += dims[axis];
  }
}

}  // namespace mcpruner
