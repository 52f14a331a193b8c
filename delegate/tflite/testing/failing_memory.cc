#include "delegate/tflite/testing/failing_memory.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>

#include "delegate/tflite/testing/whose_call.h"

// These are the linker's names for --wrap=malloc: calls of malloc go to the second one.
extern "C" {
void* __real_malloc(size_t bytes);
void* __wrap_malloc(size_t bytes);
}

namespace mcpruner {
namespace {

// These belong to the one thread that makes a FailingMemory.
thread_local int allocations = 0, first_failing = -1;
thread_local FailingMemory::Mode failing_mode = FailingMemory::kOnce;

bool Fails() {
  if (first_failing < 0 || !in_delegate) return false;
  const int number = allocations++;
  return failing_mode == FailingMemory::kOnce ? number == first_failing : number >= first_failing;
}

void* Allocate(size_t bytes, size_t alignment) {
  if (Fails()) return nullptr;
  void* memory = nullptr;
  return posix_memalign(&memory, std::max(alignment, sizeof(void*)), std::max<size_t>(bytes, 1)) == 0 ? memory
                                                                                                      : nullptr;
}

void* AllocateOrThrow(size_t bytes, size_t alignment) {
  void* const memory = Allocate(bytes, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

constexpr size_t kUsual = __STDCPP_DEFAULT_NEW_ALIGNMENT__;

}  // namespace

FailingMemory::FailingMemory(int first, Mode mode) {
  allocations = 0;
  first_failing = first;
  failing_mode = mode;
}

FailingMemory::~FailingMemory() { first_failing = -1; }

bool FailingMemory::happened() const { return allocations > first_failing; }

}  // namespace mcpruner

void* __wrap_malloc(size_t bytes) { return mcpruner::Fails() ? nullptr : __real_malloc(bytes); }

void* operator new(size_t bytes) { return mcpruner::AllocateOrThrow(bytes, mcpruner::kUsual); }
void* operator new[](size_t bytes) { return mcpruner::AllocateOrThrow(bytes, mcpruner::kUsual); }
void* operator new(size_t bytes, std::align_val_t alignment) {
  return mcpruner::AllocateOrThrow(bytes, static_cast<size_t>(alignment));
}
void* operator new[](size_t bytes, std::align_val_t alignment) {
  return mcpruner::AllocateOrThrow(bytes, static_cast<size_t>(alignment));
}
void* operator new(size_t bytes, const std::nothrow_t&) noexcept { return mcpruner::Allocate(bytes, mcpruner::kUsual); }
void* operator new[](size_t bytes, const std::nothrow_t&) noexcept {
  return mcpruner::Allocate(bytes, mcpruner::kUsual);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }
