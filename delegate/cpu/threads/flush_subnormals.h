// While an object of this class lives, its thread computes with 0 in the place of subnormal numbers, those below 2^-126
// that have fewer digits: as operands and as results. Processors take up to a hundred times as long for them, and the
// tails of SiLU, GELU and softmax are full of them. XNNPACK's threads do the same.

#ifndef MCPRUNER_DELEGATE_CPU_THREADS_FLUSH_SUBNORMALS_H_
#define MCPRUNER_DELEGATE_CPU_THREADS_FLUSH_SUBNORMALS_H_

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace mcpruner {

class FlushSubnormals {
 public:
  FlushSubnormals() : before_(Get()) { Set(before_ | kFlush); }
  ~FlushSubnormals() { Set(before_); }
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;

 private:
#if defined(__x86_64__)
  using Register = uint32_t;
  static constexpr Register kFlush = 0x8040;  // FTZ and DAZ of MXCSR
  static Register Get() { return _mm_getcsr(); }
  static void Set(Register value) { _mm_setcsr(value); }
#elif defined(__aarch64__)
  using Register = uint64_t;
  static constexpr Register kFlush = Register{1} << 24;  // FZ of FPCR
  static Register Get() {
    Register value;
    asm volatile("mrs %0, fpcr" : "=r"(value));
    return value;
  }
  static void Set(Register value) { asm volatile("msr fpcr, %0" : : "r"(value)); }
#else
#error "say how this processor flushes subnormal numbers"
#endif

  const Register before_;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_THREADS_FLUSH_SUBNORMALS_H_
