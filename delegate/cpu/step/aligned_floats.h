// AlignedFloats is an array of floats that begins on a cache line and holds zeros at first.

#ifndef MCPRUNER_DELEGATE_CPU_STEP_ALIGNED_FLOATS_H_
#define MCPRUNER_DELEGATE_CPU_STEP_ALIGNED_FLOATS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mcpruner {

class AlignedFloats {
 public:
  AlignedFloats() = default;
  explicit AlignedFloats(int64_t size) : size_(size), floats_(static_cast<size_t>(size + kLine)) {
    const auto address = reinterpret_cast<uintptr_t>(floats_.data());
    data_ = floats_.data() + (kLine - address / sizeof(float) % kLine) % kLine;
  }
  AlignedFloats(AlignedFloats&&) = default;  // a vector keeps its memory when it is moved
  AlignedFloats& operator=(AlignedFloats&&) = default;
  AlignedFloats(const AlignedFloats&) = delete;
  AlignedFloats& operator=(const AlignedFloats&) = delete;

  float* data() const { return data_; }
  int64_t size() const { return size_; }

 private:
  static constexpr size_t kLine = 64 / sizeof(float);
  int64_t size_ = 0;
  std::vector<float> floats_;
  float* data_ = nullptr;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_STEP_ALIGNED_FLOATS_H_
