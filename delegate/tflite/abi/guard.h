// This stands between C++ and C: no exception passes it, not even one that is thrown while there is no memory left
// to say so.

#ifndef MCPRUNER_DELEGATE_TFLITE_ABI_GUARD_H_
#define MCPRUNER_DELEGATE_TFLITE_ABI_GUARD_H_

#include <exception>
#include <new>
#include <string>

#include "delegate/base/status.h"

namespace mcpruner {

constexpr char kOutOfMemory[] = "out of memory; free some, or use a smaller batch";

// `body()` returns a Status. What it throws becomes one.
template <typename Body>
Status Guard(const Body& body) noexcept {
  try {
    try {
      return body();
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& e) {
      return Status::Error(std::string("internal error: ") + e.what());
    }
  } catch (const std::bad_alloc&) {  // of body() or of the text above
    return Status::Literal(kOutOfMemory);
  } catch (...) {
    return Status::Literal("internal error");
  }
}

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_ABI_GUARD_H_
