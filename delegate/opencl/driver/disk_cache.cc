#include "delegate/opencl/driver/disk_cache.h"

#include <cstdio>
#include <cstring>

#include "delegate/opencl/driver/whole_file.h"

namespace mcpruner::opencl {
namespace {

constexpr char kMagic[8] = {'M', 'C', 'P', 'C', 'L', '0', '0', '1'};
constexpr size_t kHeaderBytes = 28;
constexpr int64_t kMaxFileBytes = int64_t{1} << 28;

// This is the FNV-1a hash.
uint64_t Hash(const void* data, size_t size) {
  uint64_t hash = 14695981039346656037u;
  for (size_t i = 0; i < size; ++i) hash = (hash ^ static_cast<const uint8_t*>(data)[i]) * 1099511628211u;
  return hash;
}

void AddNumber(uint64_t value, int bytes, std::vector<uint8_t>* to) {
  for (int i = 0; i < bytes; ++i) to->push_back(static_cast<uint8_t>(value >> (8 * i)));
}

std::vector<uint8_t> Header(const std::string& key, Span<const uint8_t> value) {
  std::vector<uint8_t> header(std::begin(kMagic), std::end(kMagic));
  AddNumber(key.size(), 4, &header);
  AddNumber(value.size(), 8, &header);
  AddNumber(Hash(value.data(), value.size()), 8, &header);
  return header;
}

Span<const uint8_t> BytesOf(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

std::string DiskCache::Path(const std::string& key) const {
  char name[48];
  std::snprintf(name, sizeof name, "/mcpruner-%016llx.bin",
                static_cast<unsigned long long>(Hash(key.data(), key.size())));  // NOLINT: what printf takes
  return folder_ + name;
}

std::vector<uint8_t> DiskCache::Load(const std::string& key) const {
  if (!enabled()) return {};
  const std::vector<uint8_t> file = ReadWholeFile(Path(key), kMaxFileBytes);
  const size_t first = kHeaderBytes + key.size();
  if (file.size() <= first || std::memcmp(file.data() + kHeaderBytes, key.data(), key.size()) != 0) return {};
  std::vector<uint8_t> value(file.begin() + static_cast<ptrdiff_t>(first), file.end());
  const std::vector<uint8_t> header = Header(key, value);
  if (std::memcmp(file.data(), header.data(), header.size()) != 0) return {};
  return value;
}

void DiskCache::Store(const std::string& key, Span<const uint8_t> value) const {
  if (!enabled() || value.empty()) return;
  const std::vector<uint8_t> header = Header(key, value);
  const Status written = WriteWholeFile(Path(key), {header, BytesOf(key), value});
  if (!written.ok()) log_("not kept for the next start: " + written.message());
}

}  // namespace mcpruner::opencl
