// Compiled programs on disk, so that the second start need not compile.
//
//     <folder>/mcpruner-<hash of the key>.bin
//
//       [magic 8][size of key 4][size of binary 8][checksum of binary 8][key][binary]        numbers little-endian
//
// The key is everything that the binary depends on, in full: device, driver, options and source. A file that is cut
// short, damaged, of another version or of another key counts as absent. Files appear whole or not at all, since they
// are written under another name first; two processes may write the same one.

#ifndef MCPRUNER_DELEGATE_OPENCL_PROGRAM_CACHE_H_
#define MCPRUNER_DELEGATE_OPENCL_PROGRAM_CACHE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "delegate/graph/span.h"

namespace mcpruner::opencl {

class ProgramCache {
 public:
  // `folder` empty: nothing is found and nothing is kept.
  explicit ProgramCache(std::string folder) : folder_(std::move(folder)) {}

  bool enabled() const { return !folder_.empty(); }
  // Empty where there is none.
  std::vector<uint8_t> Load(const std::string& key) const;
  // Best effort: without it the next start compiles again.
  void Store(const std::string& key, Span<const uint8_t> binary) const;
  // Of a key's file.
  std::string Path(const std::string& key) const;

 private:
  const std::string folder_;
};

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_PROGRAM_CACHE_H_
