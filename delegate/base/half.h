// These convert IEEE binary16 to binary32, which is exact for every value (subnormals, infinities and NaN too), and
// back.

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

// Returns the half that is `value`. Where none is, it returns another one.
inline uint16_t ExactHalf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const uint32_t sign = bits >> 16 & 0x8000, fraction = bits >> 13 & 1023;
  const int exponent = static_cast<int>(bits >> 23 & 255) - (127 - 15);
  if (exponent > 30) return static_cast<uint16_t>(sign | 31u << 10 | fraction);
  if (exponent > 0) return static_cast<uint16_t>(sign | static_cast<uint32_t>(exponent) << 10 | fraction);
  const float units = (sign != 0 ? -value : value) * 0x1p24f;  // of the smallest half, at most 1024
  return static_cast<uint16_t>(sign | static_cast<uint32_t>(units));
}

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_BASE_HALF_H_
