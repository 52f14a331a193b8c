#include "python/native/machine_limits.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <vector>

#include "delegate/cpu/cpu_backend.h"
#include "python/native/limits_kernels.h"

namespace mcpruner {
namespace {

// There are many short turns: on a shared machine few turns are undisturbed, and none that outlasts a time slice of the
// scheduler is.
constexpr int kTurns = 200;
constexpr double kTurnSeconds = 5e-4;

struct Loops {
  const char* simd;
  decltype(scalar::MultiplyAdds)* multiply_adds;
  decltype(scalar::Read)* read;
};
constexpr Loops kLoops[] = {
#if defined(__x86_64__)
    {"avx512", avx512::MultiplyAdds, avx512::Read},
    {"avx2", avx2::MultiplyAdds, avx2::Read},
#elif defined(__aarch64__)
    {"neon", neon::MultiplyAdds, neon::Read},
#endif
    {"scalar", scalar::MultiplyAdds, scalar::Read},
};

Result<const Loops*> FindLoops(const std::string& simd) {
  std::string names;
  for (const std::string& target : CpuSimdTargets()) {
    names += (names.empty() ? "" : ", ") + target;
    if (target != simd) continue;
    for (const Loops& loops : kLoops) {
      if (loops.simd == simd) return &loops;
    }
  }
  return Status::Error("expected an instruction set of this CPU (" + names + "), got '" + simd + "'");
}

// Returns the most that `work`, which returns how much it did, does in a nanosecond.
double BestRate(const std::function<double()>& work) {
  using Clock = std::chrono::steady_clock;
  double best = 0;
  for (int turn = 0; turn < kTurns; ++turn) {
    double done = 0, seconds = 0;
    const Clock::time_point begin = Clock::now();
    do {
      done += work();
      seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    } while (seconds < kTurnSeconds);
    best = std::max(best, done / seconds * 1e-9);
  }
  return best;
}

}  // namespace

Result<double> PeakGflops(const std::string& simd) {
  const Result<const Loops*> loops = FindLoops(simd);
  if (!loops.ok()) return loops.status();
  float sums[kMultiplyAddsFloats] = {};
  return BestRate([&] { return 2.0 * static_cast<double>((*loops)->multiply_adds(10000, sums)); });
}

Result<double> ReadGigabytes(const std::string& simd, size_t bytes) {
  const Result<const Loops*> loops = FindLoops(simd);
  if (!loops.ok()) return loops.status();
  if (bytes < 4096 || bytes > (size_t{1} << 30)) {
    return Status::Error("expected 4096 to 2^30 bytes, got " + std::to_string(bytes));
  }
  const std::vector<float> buffer(bytes / sizeof(float), 1.0f);
  const auto repeats = std::max<size_t>(1, (size_t{1} << 20) / bytes);  // the clock is read each megabyte or less often
  volatile float sum = 0;
  return BestRate([&] {
    for (size_t i = 0; i < repeats; ++i) sum = sum + (*loops)->read(buffer.data(), buffer.size());
    return static_cast<double>(repeats * bytes);
  });
}

}  // namespace mcpruner
