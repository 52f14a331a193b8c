// LargeVector is a std::vector for weights: a large one asks the kernel for huge pages.
//
// Weights of tens of megabytes are read once in each inference. On a virtual machine with Zen 4 cores, 73 MB were read
// at 12 to 21 GB/s from pages of 4 KiB and at 33 to 35 GB/s from pages of 2 MiB; touching them for the first time took
// 42 to 88 ms and 9 to 19 ms. Where the kernel has no huge pages to give, this is an ordinary vector.

#ifndef MCPRUNER_DELEGATE_BASE_LARGE_VECTOR_H_
#define MCPRUNER_DELEGATE_BASE_LARGE_VECTOR_H_

#include <cstddef>
#include <limits>
#include <new>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace mcpruner {

template <typename T>
struct LargeAllocator {
  using value_type = T;
  static constexpr size_t kHugePage = size_t{2} << 20;

  LargeAllocator() = default;
  template <typename U>
  LargeAllocator(const LargeAllocator<U>&) {}  // NOLINT: implicit, as the standard asks

  T* allocate(size_t count) {
    if (count > std::numeric_limits<size_t>::max() / sizeof(T)) throw std::bad_array_new_length();
    const size_t bytes = count * sizeof(T);
    if (bytes < kHugePage) return static_cast<T*>(::operator new(bytes));
    void* const memory = ::operator new(bytes, std::align_val_t{kHugePage});
#if defined(MADV_HUGEPAGE)
    // Only whole pages are advised, so that no more memory is used than without. A failure changes nothing: this is
    // advice.
    (void)madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, size_t count) {
    if (count * sizeof(T) < kHugePage) return ::operator delete(memory);
    ::operator delete(memory, std::align_val_t{kHugePage});
  }

  friend bool operator==(const LargeAllocator&, const LargeAllocator&) { return true; }
  friend bool operator!=(const LargeAllocator&, const LargeAllocator&) { return false; }
};

template <typename T>
using LargeVector = std::vector<T, LargeAllocator<T>>;

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_BASE_LARGE_VECTOR_H_
