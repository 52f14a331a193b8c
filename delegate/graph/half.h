// IEEE binary16 to binary32, exact for every value (subnormals, infinities and NaN among them).

#ifndef MCPRUNER_DELEGATE_GRAPH_HALF_H_
#define MCPRUNER_DELEGATE_GRAPH_HALF_H_

#include <cmath>
#include <cstdint>
#include <limits>

namespace mcpruner {

//     bit 15: sign | 14..10: exponent, bias 15 | 9..0: fraction
inline float HalfToFloat(uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  float magnitude;
  if (exponent == 31) {
    magnitude = fraction != 0 ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity();
  } else if (exponent == 0) {
    magnitude = std::ldexp(static_cast<float>(fraction), -24);
  } else {
    magnitude = std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_HALF_H_
