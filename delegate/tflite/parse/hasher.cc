#include "delegate/tflite/parse/hasher.h"

#include <cstring>

namespace mcpruner {

inline void Hasher::AddWord(const unsigned char* p, size_t bytes) {
  uint64_t word = 0;
  std::memcpy(&word, p, bytes);
  a_ = (a_ ^ word) * 0x9E3779B97F4A7C15u;
  a_ ^= a_ >> 32;
  b_ = (b_ + word) * 0xBB67AE8584CAA73Bu;
  b_ ^= b_ >> 29;
}

void Hasher::Add(const void* data, size_t bytes) {
  const auto* p = static_cast<const unsigned char*>(data);
  for (; bytes >= 8; p += 8, bytes -= 8) AddWord(p, 8);
  AddWord(p, bytes);
}

}  // namespace mcpruner
