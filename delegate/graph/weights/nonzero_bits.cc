#include "delegate/graph/weights/nonzero_bits.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "delegate/graph/weights/check_dense.h"
#include "delegate/graph/weights/count_bits.h"

namespace mcpruner {
namespace {

constexpr size_t kWordBits = 64;
constexpr uint32_t kMagnitude = 0x7fffffff;  // a float's bits without its sign
constexpr uint32_t kInfinity = 0x7f800000;   // those of a NaN are more
constexpr uint32_t kNotFinite = 0x80000000;  // the bit that carries where a magnitude of kInfinity or more grows
constexpr uint32_t kCarry = kNotFinite - kInfinity;

// Returns the bits of 64 weights. `*flags` gets the bit kNotFinite where one of them is not finite. Loops have a fixed
// length and no branches, so that the compiler makes vectors of them.
uint64_t WordOf(const float* weights, uint32_t* flags) {
  uint32_t magnitudes[kWordBits];
  std::memcpy(magnitudes, weights, sizeof magnitudes);
  uint8_t nonzero[kWordBits];
  uint32_t found = 0;
  for (size_t i = 0; i < kWordBits; ++i) {
    const uint32_t magnitude = magnitudes[i] & kMagnitude;
    found |= magnitude + kCarry;
    nonzero[i] = magnitude != 0;
  }
  *flags |= found;
  uint64_t word = 0;
  for (size_t byte = 0; byte < 8; ++byte) {
    uint64_t eight = 0;  // the first of them in its lowest byte, whatever the byte order of the machine is
    for (size_t i = 0; i < 8; ++i) eight |= uint64_t{nonzero[byte * 8 + i]} << 8 * i;
    word |= (eight * 0x0102040810204080 >> 56) << 8 * byte;
  }
  return word;
}

// The same for the last weights of a row.
uint64_t LastWordOf(const float* weights, size_t count, uint32_t* flags) {
  float filled[kWordBits] = {};
  std::copy_n(weights, count, filled);
  return WordOf(filled, flags);
}

// Spread has a byte for each bit of its index: 0 or 1.
constexpr std::array<uint64_t, 256> MakeSpread() {
  std::array<uint64_t, 256> spread{};
  for (size_t index = 0; index < spread.size(); ++index) {
    for (size_t bit = 0; bit < 8; ++bit) spread[index] |= uint64_t{index >> bit & 1} << 8 * bit;
  }
  return spread;
}
constexpr std::array<uint64_t, 256> kSpread = MakeSpread();

}  // namespace

Result<NonzeroBits> NonzeroBits::Of(const DenseShape& shape, Span<const float> weights) {
  MCPRUNER_RETURN_IF_ERROR(CheckDense(shape, weights.size()));
  NonzeroBits made;
  made.shape_ = shape;
  made.positions_ = static_cast<size_t>(shape.kernel_height) * static_cast<size_t>(shape.kernel_width);
  const size_t channels = static_cast<size_t>(shape.in_channels);
  made.words_ = (channels + kWordBits - 1) / kWordBits;
  made.bits_.reserve(static_cast<size_t>(shape.out_channels) * made.positions_ * made.words_);
  uint32_t flags = 0;
  for (const float* row = weights.begin(); row != weights.end(); row += channels) {
    size_t channel = 0;
    for (; channel + kWordBits <= channels; channel += kWordBits) {
      made.bits_.push_back(WordOf(row + channel, &flags));
    }
    if (channel < channels) made.bits_.push_back(LastWordOf(row + channel, channels - channel, &flags));
  }
  if ((flags & kNotFinite) != 0) return NotFinite("weights");
  return made;
}

int64_t NonzeroBits::Count() const { return static_cast<int64_t>(CountBits(bits_)); }

void UniteRows(const NonzeroBits& bits, Span<const uint16_t> filters, std::vector<uint64_t>* rows) {
  rows->assign(bits.positions() * bits.words(), 0);
  for (const uint16_t filter : filters) {
    const Span<const uint64_t> more = bits.Rows(filter);
    for (size_t i = 0; i < more.size(); ++i) (*rows)[i] |= more[i];
  }
}

void PatternsOf(const NonzeroBits& bits, Span<const uint64_t> rows, std::vector<uint64_t>* patterns) {
  patterns->assign(bits.words() * kWordBits, 0);
  for (size_t word = 0; word < bits.words(); ++word) {
    uint64_t* const to = patterns->data() + word * kWordBits;
    for (size_t first = 0; first < bits.positions(); first += 8) {
      const size_t count = std::min<size_t>(8, bits.positions() - first);
      for (size_t byte = 0; byte < 8; ++byte) {
        // One byte for each of eight channels, with a bit for each of eight positions.
        uint64_t eight = 0;
        for (size_t p = 0; p < count; ++p) {
          eight |= kSpread[rows[(first + p) * bits.words() + word] >> 8 * byte & 0xff] << p;
        }
        for (size_t i = 0; i < 8; ++i) to[byte * 8 + i] |= (eight >> 8 * i & 0xff) << first;
      }
    }
  }
  patterns->resize(static_cast<size_t>(bits.shape().in_channels));
}

}  // namespace mcpruner
