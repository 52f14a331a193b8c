// Preloaded into Python: allocations of one library that fail on purpose (test_out_of_memory.py compiles it).

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

// Callers between `begin` and `end` are the library's.
uintptr_t begin = 0, end = 0;
long first = -1, count = 0;
bool for_good = false;

void* Allocate(size_t bytes, size_t alignment, void* caller) {
  const auto address = reinterpret_cast<uintptr_t>(caller);
  if (first >= 0 && address >= begin && address < end) {
    const long number = count++;
    if (for_good ? number >= first : number == first) throw std::bad_alloc();
  }
  void* memory = nullptr;
  if (posix_memalign(&memory, alignment, std::max<size_t>(bytes, 1)) != 0) throw std::bad_alloc();
  return memory;
}

}  // namespace

extern "C" void fail_allocation(long number, int from_then_on, uintptr_t library_begin, uintptr_t library_end) {
  begin = library_begin;
  end = library_end;
  for_good = from_then_on != 0;
  count = 0;
  first = number;
}
extern "C" long allocations() { return count; }

void* operator new(size_t bytes) { return Allocate(bytes, 16, __builtin_return_address(0)); }
void* operator new(size_t bytes, std::align_val_t alignment) {
  return Allocate(bytes, std::max<size_t>(16, static_cast<size_t>(alignment)), __builtin_return_address(0));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }
