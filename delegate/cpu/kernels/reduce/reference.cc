#include "delegate/cpu/kernels/reduce/reference.h"

#include <limits>
#include <vector>

#include "delegate/graph/shapes.h"

namespace mcpruner {
namespace {

double Start(ReduceFunction function) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  switch (function) {
    case ReduceFunction::kMean:
    case ReduceFunction::kSum:
      break;
    case ReduceFunction::kReduceMax:
      return -kInfinity;
    case ReduceFunction::kReduceMin:
      return kInfinity;
  }
  return 0.0;
}

double Combine(ReduceFunction function, double result, double x) {
  switch (function) {
    case ReduceFunction::kMean:
    case ReduceFunction::kSum:
      break;
    case ReduceFunction::kReduceMax:
      return x > result ? x : result;
    case ReduceFunction::kReduceMin:
      return x < result ? x : result;
  }
  return result + x;
}

}  // namespace

void ReduceReference(ReduceFunction function, const ReduceParams& params, const Shape& in, const float* x, float* y) {
  const Shape out = ReducedShape(params, in);
  std::vector<double> results(static_cast<size_t>(out.size()), Start(function));
  for (int n = 0; n < in.n; ++n) {
    for (int h = 0; h < in.h; ++h) {
      for (int w = 0; w < in.w; ++w) {
        for (int c = 0; c < in.c; ++c) {
          const int64_t to = out.index(n, params.rows ? 0 : h, params.columns ? 0 : w, params.channels ? 0 : c);
          double& result = results[static_cast<size_t>(to)];
          result = Combine(function, result, *x++);
        }
      }
    }
  }
  const auto count = static_cast<double>(ReducedElements(params, in));
  for (const double result : results) {
    *y++ = static_cast<float>(function == ReduceFunction::kMean ? result / count : result);
  }
}

}  // namespace mcpruner
