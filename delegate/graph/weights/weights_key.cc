#include "delegate/graph/weights/weights_key.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace mcpruner {
namespace {

constexpr uint64_t kPrime1 = 0x9E3779B185EBCA87, kPrime2 = 0xC2B2AE3D27D4EB4F, kPrime3 = 0x165667B19E3779F9,
                   kPrime4 = 0x85EBCA77C2B2AE63, kPrime5 = 0x27D4EB2F165667C5;
constexpr size_t kBlock = 1024, kStripe = 32;

uint64_t Rotate(uint64_t value, int by) { return value << by | value >> (64 - by); }
uint64_t Round(uint64_t lane, uint64_t word) { return Rotate(lane + word * kPrime2, 31) * kPrime1; }

template <typename T>
T Load(const unsigned char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// Takes in whole stripes, four words at a time.
uint64_t HashStripes(const unsigned char* at, size_t stripes) {
  uint64_t lanes[] = {kPrime1 + kPrime2, kPrime2, 0, 0 - kPrime1};
  for (; stripes > 0; --stripes) {
    for (uint64_t& lane : lanes) {
      lane = Round(lane, Load<uint64_t>(at));
      at += sizeof(uint64_t);
    }
  }
  uint64_t hash = Rotate(lanes[0], 1) + Rotate(lanes[1], 7) + Rotate(lanes[2], 12) + Rotate(lanes[3], 18);
  for (const uint64_t lane : lanes) hash = (hash ^ Round(0, lane)) * kPrime1 + kPrime4;
  return hash;
}

std::vector<uint64_t> HashBlocks(const unsigned char* data, size_t bytes) {
  std::vector<uint64_t> digests;
  digests.reserve((bytes + kBlock - 1) / kBlock);
  for (size_t at = 0; at < bytes; at += kBlock) digests.push_back(Xxh64(data + at, std::min(kBlock, bytes - at)));
  return digests;
}

}  // namespace

uint64_t Xxh64(const void* data, size_t bytes) {
  const auto* at = static_cast<const unsigned char*>(data);
  const size_t stripes = bytes / kStripe;
  uint64_t hash = stripes > 0 ? HashStripes(at, stripes) : kPrime5;
  hash += bytes;
  at += stripes * kStripe;
  size_t left = bytes % kStripe;
  for (; left >= 8; left -= 8, at += 8) hash = Rotate(hash ^ Round(0, Load<uint64_t>(at)), 27) * kPrime1 + kPrime4;
  for (; left >= 4; left -= 4, at += 4) hash = Rotate(hash ^ Load<uint32_t>(at) * kPrime1, 23) * kPrime2 + kPrime3;
  for (; left > 0; --left, ++at) hash = Rotate(hash ^ *at * kPrime5, 11) * kPrime1;
  hash = (hash ^ hash >> 33) * kPrime2;
  hash = (hash ^ hash >> 29) * kPrime3;
  return hash ^ hash >> 32;
}

uint64_t WeightsKey(const DenseShape& shape, Span<const float> weights) {
  const void* data = weights.data();
  size_t bytes = weights.size() * sizeof(float);
  std::vector<uint64_t> digests;
  while (bytes > kBlock) {
    digests = HashBlocks(static_cast<const unsigned char*>(data), bytes);
    data = digests.data();
    bytes = digests.size() * sizeof(uint64_t);
  }
  const uint64_t digest = Xxh64(data, bytes);
  const uint32_t sizes[] = {static_cast<uint32_t>(shape.out_channels), static_cast<uint32_t>(shape.kernel_height),
                            static_cast<uint32_t>(shape.kernel_width), static_cast<uint32_t>(shape.in_channels)};
  unsigned char last[sizeof sizes + sizeof digest];
  std::memcpy(last, sizes, sizeof sizes);
  std::memcpy(last + sizeof sizes, &digest, sizeof digest);
  return Xxh64(last, sizeof last);
}

}  // namespace mcpruner
