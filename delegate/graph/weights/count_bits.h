// These count the bits of many words. Baseline x86-64 has no instruction for it, and the compiler's function looks each
// byte up.

#ifndef MCPRUNER_DELEGATE_GRAPH_WEIGHTS_COUNT_BITS_H_
#define MCPRUNER_DELEGATE_GRAPH_WEIGHTS_COUNT_BITS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "delegate/base/span.h"

namespace mcpruner {

// Returns the sum of the bits of word_at(0) .. word_at(count - 1).
template <typename WordAt>
uint64_t SumBits(size_t count, const WordAt& word_at) {
  constexpr size_t kBlock = 31;  // a byte holds the bits that 31 words have in it
  uint64_t total = 0;
  for (size_t begin = 0; begin < count; begin += kBlock) {
    const size_t end = std::min(begin + kBlock, count);
    uint64_t bytes = 0;
    for (size_t i = begin; i < end; ++i) {
      uint64_t word = word_at(i);
      word -= word >> 1 & 0x5555555555555555;
      word = (word & 0x3333333333333333) + (word >> 2 & 0x3333333333333333);
      bytes += (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f;
    }
    bytes = (bytes & 0x00ff00ff00ff00ff) + (bytes >> 8 & 0x00ff00ff00ff00ff);
    total += bytes * 0x0001000100010001 >> 48;
  }
  return total;
}

inline uint64_t CountBits(Span<const uint64_t> words) {
  return SumBits(words.size(), [&](size_t i) { return words[i]; });
}

// Counts the bits that both have, at the same places; `b` is as long as `a`.
inline uint64_t CountSharedBits(Span<const uint64_t> a, Span<const uint64_t> b) {
  return SumBits(a.size(), [&](size_t i) { return a[i] & b[i]; });
}

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_WEIGHTS_COUNT_BITS_H_
