// The DiskCache keeps what the first start found out: compiled programs, the tuner's tiles, measured choices.
//
//     <folder>/mcpruner-<hash of the key>.bin
//
//       [magic 8][size of key 4][size of value 8][checksum of value 8][key][value]        numbers little-endian
//
// The key is everything that the value depends on, in full: device, driver, options and source. A file that is cut
// short, damaged, of another version or of another key counts as absent. Files appear whole or not at all, since they
// are written under another name first; two processes may write the same one.

#ifndef MCPRUNER_DELEGATE_OPENCL_DRIVER_DISK_CACHE_H_
#define MCPRUNER_DELEGATE_OPENCL_DRIVER_DISK_CACHE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "delegate/base/span.h"

namespace mcpruner::opencl {

class DiskCache {
 public:
  using Log = std::function<void(const std::string&)>;

  // With an empty `folder`, nothing is found and nothing is kept. `log` takes the sentence on a file that cannot be
  // written.
  explicit DiskCache(
      std::string folder, Log log = [](const std::string&) {})
      : folder_(std::move(folder)), log_(std::move(log)) {}

  bool enabled() const { return !folder_.empty(); }
  // Returns an empty vector where there is no value.
  std::vector<uint8_t> Load(const std::string& key) const;
  // Any thread may call this. A failure is only logged: the next start then finds the value out again.
  void Store(const std::string& key, Span<const uint8_t> value) const;
  // Returns the path of a key's file.
  std::string Path(const std::string& key) const;

 private:
  const std::string folder_;
  const Log log_;
};

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_DRIVER_DISK_CACHE_H_
