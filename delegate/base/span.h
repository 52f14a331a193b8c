// Span is a view of consecutive elements that someone else owns (C++17 has no std::span).

#ifndef MCPRUNER_DELEGATE_BASE_SPAN_H_
#define MCPRUNER_DELEGATE_BASE_SPAN_H_

#include <cassert>
#include <cstddef>
#include <type_traits>
#include <vector>

namespace mcpruner {

template <typename T>
class Span {
 public:
  constexpr Span() = default;
  constexpr Span(T* data, size_t size) : data_(data), size_(size) {}
  // A vector becomes a Span implicitly; a const vector becomes a Span<const T> only.
  template <typename U, typename = std::enable_if_t<std::is_convertible_v<U (*)[], T (*)[]>>>
  Span(std::vector<U>& v) : data_(v.data()), size_(v.size()) {}  // NOLINT: implicit, as std::span
  template <typename U, typename = std::enable_if_t<std::is_convertible_v<const U (*)[], T (*)[]>>>
  Span(const std::vector<U>& v) : data_(v.data()), size_(v.size()) {}  // NOLINT
  template <typename U, typename = std::enable_if_t<std::is_convertible_v<U (*)[], T (*)[]>>>
  constexpr Span(Span<U> other) : data_(other.data()), size_(other.size()) {}  // NOLINT

  constexpr T* data() const { return data_; }
  constexpr size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr T* begin() const { return data_; }
  constexpr T* end() const { return data_ + size_; }
  constexpr T& operator[](size_t i) const {
    assert(i < size_);
    return data_[i];
  }
  constexpr Span subspan(size_t begin, size_t count) const {
    assert(begin <= size_ && count <= size_ - begin);
    return Span(data_ + begin, count);
  }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_BASE_SPAN_H_
