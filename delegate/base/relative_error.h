// RelativeError says how far outputs are from what they should be.

#ifndef MCPRUNER_DELEGATE_BASE_RELATIVE_ERROR_H_
#define MCPRUNER_DELEGATE_BASE_RELATIVE_ERROR_H_

#include <algorithm>
#include <cmath>
#include <vector>

namespace mcpruner {

// Returns the largest difference over the largest magnitude of `expected`, or NaN where one of the differences is NaN.
inline double RelativeError(const std::vector<float>& actual, const std::vector<float>& expected) {
  double difference = 0, magnitude = 1e-30;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double off = std::fabs(double{actual[i]} - expected[i]);
    if (std::isnan(off)) return off;
    difference = std::max(difference, off);
    magnitude = std::max(magnitude, std::fabs(double{expected[i]}));
  }
  return difference / magnitude;
}

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_BASE_RELATIVE_ERROR_H_
