// A Hasher makes 128 bits of any number of bytes: two multiply-xorshift chains over 8-byte words, with odd constants
// from the golden ratio and sqrt(3).
//
// Whoever adds pieces of varying size adds their sizes too. It is no defence against who looks for two equal hashes.

#ifndef MCPRUNER_DELEGATE_TFLITE_PARSE_HASHER_H_
#define MCPRUNER_DELEGATE_TFLITE_PARSE_HASHER_H_

#include <cstddef>
#include <cstdint>

#include "delegate/base/span.h"

namespace mcpruner {

class Hasher {
 public:
  void Add(const void* data, size_t bytes);
  template <typename T>
  void Add(Span<const T> values) {
    const uint64_t count = values.size();
    Add(&count, sizeof(count));
    if (count > 0) Add(values.data(), count * sizeof(T));
  }
  uint64_t a() const { return a_; }
  uint64_t b() const { return b_; }

 private:
  void AddWord(const unsigned char* p, size_t bytes);

  uint64_t a_ = 1, b_ = 2;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_PARSE_HASHER_H_
