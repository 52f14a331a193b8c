// This header makes constants of the limits in format/limits.inc: kMaxPositions and so on.

#ifndef MCPRUNER_DELEGATE_BASE_LIMITS_H_
#define MCPRUNER_DELEGATE_BASE_LIMITS_H_

#include <cstdint>

namespace mcpruner {

#define MCPRUNER_LIMIT(name, value) constexpr auto k##name = value;
#include "format/limits.inc"
#undef MCPRUNER_LIMIT

// The code relies on these: a word has one bit for each position, and the format's fields hold the numbers.
static_assert(kMaxPositions == 64);
static_assert(kMaxChannels <= UINT16_MAX && kMaxPatterns <= UINT16_MAX);
static_assert(kMaxStep <= UINT8_MAX && kMaxPad <= UINT8_MAX);
static_assert(kMaxGroupSize <= UINT8_MAX && kMaxUnitChannels <= UINT8_MAX);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_BASE_LIMITS_H_
