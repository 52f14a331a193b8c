// A Hasher makes 128 bits of any number of bytes: two multiply-xorshift chains over 8-byte words, with odd constants
// from the golden ratio and sqrt(3).
//
// Whoever adds pieces of varying size adds their sizes too. It is no defence against who looks for two equal hashes.

#ifndef MCPRUNER_DELEGATE_TFLITE_PARSE_HASHER_H_
#define MCPRUNER_DELEGATE_TFLITE_PARSE_HASHER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "delegate/base/span.h"

namespace mcpruner {

class Hasher {
 public:
  void Add(const void* data, size_t bytes) {
    const auto* p = static_cast<const unsigned char*>(data);
    for (; bytes >= 8; p += 8, bytes -= 8) AddWord(p, 8);
    AddWord(p, bytes);
  }
  template <typename T>
  void Add(Span<const T> values) {
    const uint64_t count = values.size();
    Add(&count, sizeof(count));
    if (count > 0) Add(values.data(), count * sizeof(T));
  }
  uint64_t a() const { return a_; }
  uint64_t b() const { return b_; }

 private:
  void AddWord(const unsigned char* p, size_t bytes) {
    uint64_t word = 0;
    std::memcpy(&word, p, bytes);
    a_ = (a_ ^ word) * 0x9E3779B97F4A7C15u;
    a_ ^= a_ >> 32;
    b_ = (b_ + word) * 0xBB67AE8584CAA73Bu;
    b_ ^= b_ >> 29;
  }
  uint64_t a_ = 1, b_ = 2;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_PARSE_HASHER_H_
