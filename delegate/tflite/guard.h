// The edge between C++ and C: no exception passes.

#ifndef MCPRUNER_DELEGATE_TFLITE_GUARD_H_
#define MCPRUNER_DELEGATE_TFLITE_GUARD_H_

#include <exception>
#include <new>
#include <string>

#include "delegate/graph/status.h"

namespace mcpruner {

// `body()` is a Status; what it throws becomes one.
template <typename Body>
Status Guard(const Body& body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return Status::Error("out of memory; free some, or use a smaller batch");
  } catch (const std::exception& e) {
    return Status::Error(std::string("internal error: ") + e.what());
  } catch (...) {
    return Status::Error("internal error");
  }
}

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_GUARD_H_
