// This converts IEEE binary16 to binary32. It is exact for every value: subnormals, infinities and NaN too.

#ifndef MCPRUNER_DELEGATE_BASE_HALF_H_
#define MCPRUNER_DELEGATE_BASE_HALF_H_

#include <cstdint>
#include <cstring>

namespace mcpruner {

//     bit 15 is the sign | bits 14..10 are the exponent, bias 15 | bits 9..0 are the fraction
inline float HalfToFloat(uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  // The exponent moves from bias 15 to bias 127. Infinity and NaN keep the largest exponent.
  const uint32_t wide = exponent == 31 ? 255 : static_cast<uint32_t>(exponent) + (127 - 15);
  const uint32_t result = sign | wide << 23 | static_cast<uint32_t>(fraction) << 13;
  float value;
  std::memcpy(&value, &result, sizeof value);
  return value;
}

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_BASE_HALF_H_
