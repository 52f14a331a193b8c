// A Status is success, or one sentence that says what was expected, what came and what to do.
//
// Every function that can fail returns a Status or a Result<T>; the delegate does not throw its own errors. The
// standard library still throws std::bad_alloc when memory runs out: the entry points of the C API catch it
// (tflite/abi/guard.h) and report it as an error, so no exception reaches the runtime.

#ifndef MCPRUNER_DELEGATE_BASE_STATUS_H_
#define MCPRUNER_DELEGATE_BASE_STATUS_H_

#include <optional>
#include <string>
#include <utility>

namespace mcpruner {

class [[nodiscard]] Status {
 public:
  static Status Ok() { return Status(); }
  static Status Error(std::string message) {
    Status status;
    status.message_ = std::move(message);
    return status;
  }
  // Makes an error whose text lives for ever. It allocates nothing, so it works when memory has run out.
  static Status Literal(const char* text) {
    Status status;
    status.literal_ = text;
    return status;
  }

  bool ok() const { return literal_ == nullptr && !message_.has_value(); }
  // Both texts are empty when ok(). text() allocates nothing and is valid for as long as the Status.
  const char* text() const { return literal_ != nullptr ? literal_ : message_.has_value() ? message_->c_str() : ""; }
  std::string message() const { return text(); }

 private:
  Status() = default;
  const char* literal_ = nullptr;
  std::optional<std::string> message_;
};

// A Result is a T, or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT: implicit, so that functions return either
  Result(Status status) : status_(std::move(status)) {}  // NOLINT

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  std::string message() const { return status_.message(); }

  // These may be called only when ok().
  T& value() { return *value_; }
  const T& value() const { return *value_; }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  std::optional<T> value_;
  Status status_ = Status::Ok();
};

}  // namespace mcpruner

#define MCPRUNER_RETURN_IF_ERROR(expr)                                   \
  do {                                                                   \
    if (::mcpruner::Status status = (expr); !status.ok()) return status; \
  } while (false)

#endif  // MCPRUNER_DELEGATE_BASE_STATUS_H_
