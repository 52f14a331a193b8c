#include "delegate/cpu/cpu_backend.h"

#include <utility>

#include "delegate/cpu/engine/executable.h"
#include "delegate/cpu/engine/simd_targets.h"
#include "delegate/cpu/threads/core_types.h"
#include "delegate/cpu/threads/l2_cache.h"
#include "delegate/cpu/threads/thread_pool.h"

namespace mcpruner {
namespace {

// Micro-kernels read a SparseLayer's values and channels as they are, so there is nothing to pack and nothing to cache:
// what a step adds (tap offsets, tiles) depends on shapes and takes microseconds to make again.
class CpuBackend : public Backend {
 public:
  CpuBackend(const MicroKernels& micro_kernels, int num_threads)
      : micro_kernels_(micro_kernels), pool_(std::make_shared<ThreadPool>(num_threads, CoresOfThisThread())) {}

  Result<std::unique_ptr<Executable>> Compile(const Graph& graph) override {
    return std::unique_ptr<Executable>(std::make_unique<CpuExecutable>(graph, micro_kernels_, pool_, L2CacheBytes()));
  }

 private:
  const MicroKernels& micro_kernels_;
  const std::shared_ptr<ThreadPool> pool_;
};

}  // namespace

Result<std::unique_ptr<Backend>> CreateCpuBackend(const CpuOptions& options) {
  if (options.num_threads < 1 || options.num_threads > kMaxThreads) {
    return Status::Error("expected num_threads between 1 and " + std::to_string(kMaxThreads) + ", got " +
                         std::to_string(options.num_threads));
  }
  if (options.simd.empty()) {
    return std::unique_ptr<Backend>(std::make_unique<CpuBackend>(BestMicroKernels(), options.num_threads));
  }
  for (const MicroKernels* micro_kernels : RunnableMicroKernels()) {
    if (options.simd != micro_kernels->target) continue;
    return std::unique_ptr<Backend>(std::make_unique<CpuBackend>(*micro_kernels, options.num_threads));
  }
  std::string names;
  for (const std::string& name : CpuSimdTargets()) names += (names.empty() ? "" : ", ") + name;
  return Status::Error("this CPU has no SIMD target '" + options.simd + "'; it can run: " + names);
}

std::vector<std::string> CpuSimdTargets() {
  std::vector<std::string> names;
  for (const MicroKernels* micro_kernels : RunnableMicroKernels()) names.emplace_back(micro_kernels->target);
  return names;
}

}  // namespace mcpruner
