// ReadVersionedStruct reads a struct that grows: a caller and the library may have been compiled with different
// versions of it.
//
//     struct_size   first field   ...   last field of the older   fields that only the newer knows
//     |<------------ what both know: is read ------------------>|<--- the library's: keep their defaults; the caller's:
//                                                                     must be zero, which is what "default" looks like
//
// Linux's extensible system calls (clone3, openat2) do the same.

#ifndef MCPRUNER_DELEGATE_TFLITE_OPTIONS_VERSIONED_STRUCT_H_
#define MCPRUNER_DELEGATE_TFLITE_OPTIONS_VERSIONED_STRUCT_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <type_traits>

#include "delegate/base/status.h"

namespace mcpruner {

// A larger size is not that of any struct, but memory that nobody filled.
constexpr size_t kLargestStruct = 4096;

// Returns `defaults` with what the caller filled put over it. `least` is the size of the first version. T::struct_size
// comes first in T. Which sizes between `least` and kLargestStruct belong to a version is not known here, so any of
// them is taken.
template <typename T>
Result<T> ReadVersionedStruct(const void* theirs, size_t least, T defaults) {
  static_assert(std::is_trivially_copyable_v<T> && offsetof(T, struct_size) == 0);
  size_t size = 0;
  std::memcpy(&size, theirs, sizeof size);
  if (size < least || size > kLargestStruct) {
    return Status::Error("option struct_size: expected the size of the struct, " + std::to_string(least) + " to " +
                         std::to_string(kLargestStruct) + " bytes, got " + std::to_string(size) +
                         "; fill it by McprunerDelegateOptionsDefault");
  }
  const auto* const bytes = static_cast<const char*>(theirs);
  if (size > sizeof(T) && std::any_of(bytes + sizeof(T), bytes + size, [](char byte) { return byte != 0; })) {
    return Status::Error("option struct_size: expected zeros behind the " + std::to_string(sizeof(T)) +
                         " bytes that this library knows, got an option of a newer one in a struct of " +
                         std::to_string(size) + " bytes; leave it out, or load a library as new as the header");
  }
  std::memcpy(&defaults, theirs, std::min(size, sizeof(T)));
  defaults.struct_size = sizeof(T);
  return defaults;
}

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_OPTIONS_VERSIONED_STRUCT_H_
