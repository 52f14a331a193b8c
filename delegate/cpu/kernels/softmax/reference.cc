#include "delegate/cpu/kernels/softmax/reference.h"

#include <algorithm>
#include <cmath>

namespace mcpruner {

void SoftmaxReference(const SoftmaxParams& params, const Shape& shape, const float* x, float* y) {
  if (shape.size() == 0) return;
  for (int64_t pixel = 0; pixel < shape.size(); pixel += shape.c) {
    const float* in = x + pixel;
    const double largest = *std::max_element(in, in + shape.c);
    const auto power = [&](int c) { return std::exp(params.beta * (in[c] - largest)); };
    double sum = 0.0;
    for (int c = 0; c < shape.c; ++c) sum += power(c);
    for (int c = 0; c < shape.c; ++c) y[pixel + c] = static_cast<float>(power(c) / sum);
  }
}

}  // namespace mcpruner
