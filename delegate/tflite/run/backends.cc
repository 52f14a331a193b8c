#include "delegate/tflite/run/backends.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <new>
#include <utility>

#include "delegate/cpu/cpu_backend.h"
#include "delegate/tflite/report/log.h"
#include "delegate/tflite/run/faster.h"

namespace mcpruner {
namespace {

// Returns the largest error that the self-check allows, as a share of the largest output.
double SelfCheckTolerance(Precision precision) { return precision == Precision::kFloat32 ? 1e-4 : 1e-2; }

}  // namespace

Result<std::shared_ptr<Backend>> Backends::Cpu(int num_threads) {
  std::weak_ptr<Backend>& known = cpu_[num_threads];
  std::shared_ptr<Backend> backend = known.lock();
  if (backend == nullptr) {
    CpuOptions options;
    options.num_threads = num_threads;
    options.simd = options_.simd;
    Result<std::unique_ptr<Backend>> made = factory_->Cpu(options);
    if (!made.ok()) return made.status();
    backend = std::move(*made);
    known = backend;
  }
  last_cpu_ = backend;
  return backend;
}

Result<std::shared_ptr<Backend>> Backends::OpenCl() {
  if (!opencl_failure_.empty()) return Status::Error(opencl_failure_);
  if (opencl_ == nullptr) {
    OpenClOptions options;
    options.library = options_.opencl_library;
    options.precision = options_.precision;
    options.cache_dir = options_.cache_dir;
    options.tune = options_.tune;
    options.self_check = SelfCheckTolerance(options_.precision);
    options.gpu_only = options_.backend == BackendChoice::kAuto;
    if (options_.verbosity >= 1) options.log = [](const std::string& line) { LogLine(line.c_str()); };
    Result<std::unique_ptr<Backend>> made = factory_->OpenCl(options);
    if (!made.ok()) {
      opencl_failure_ = made.message();  // a resize need not look for devices again
      return made.status();
    }
    opencl_ = std::move(*made);
  }
  return opencl_;
}

Result<std::shared_ptr<Backend>> Backends::Get(BackendChoice choice, int num_threads) {
  if (choice == BackendChoice::kOpenCl) return OpenCl();
  if (choice == BackendChoice::kCpu) return Cpu(num_threads);
  if (reference_ == nullptr) reference_ = factory_->Reference();
  return reference_;
}

Result<Compiled> Backends::TryCompile(BackendChoice choice, const Job& job, const std::string& reason) {
  try {
    return CompileOn(choice, job, reason);
  } catch (const std::bad_alloc&) {
    // The reference backend wants the least memory, and no other backend is left.
    if (choice == BackendChoice::kReference) throw;
    return Status::Error("runs out of memory");
  }
}

Result<Compiled> Backends::CompileOn(BackendChoice choice, const Job& job, const std::string& reason) {
  Result<std::shared_ptr<Backend>> backend = Get(choice, job.num_threads);
  if (!backend.ok()) return Status::Error("cannot be made (" + backend.message() + ")");
  Result<std::unique_ptr<Executable>> executable = (*backend)->Compile(job.graph);
  if (!executable.ok()) return Status::Error("refuses it (" + executable.message() + ")");
  return Compiled{std::move(*backend), std::move(*executable), choice, reason};
}

void Backends::Print(const std::string& reason) {
  if (options_.verbosity >= 1 && !reason.empty() && reason != printed_reason_) LogLine(reason.c_str());
  printed_reason_ = reason;
}

Result<Compiled> Backends::CompileFrom(BackendChoice first, std::string reason, const Job& job) {
  constexpr BackendChoice kOrder[] = {BackendChoice::kOpenCl, BackendChoice::kCpu, BackendChoice::kReference};
  Result<Compiled> compiled = Status::Error("no backend was tried");
  for (const BackendChoice* choice = std::find(std::begin(kOrder), std::end(kOrder), first); choice != std::end(kOrder);
       ++choice) {
    compiled = TryCompile(*choice, job, reason);
    if (compiled.ok() || choice + 1 == std::end(kOrder)) break;
    reason += (reason.empty() ? "" : "; ") + ("the " + std::string(BackendName(*choice)) + " backend ") +
              compiled.message() + ", the " + BackendName(choice[1]) + " backend runs instead";
  }
  Print(reason);
  return compiled;
}

Result<Compiled> Backends::CompileAuto(const Job& job) {
  if (options_.cache_dir.empty()) return CompileFrom(BackendChoice::kCpu, "", job);
  Result<Compiled> opencl = TryCompile(BackendChoice::kOpenCl, job, "");
  if (!opencl.ok()) {
    return CompileFrom(BackendChoice::kCpu, "auto chose cpu: the opencl backend " + opencl.message(), job);
  }
  Result<Compiled> cpu = TryCompile(BackendChoice::kCpu, job, "");
  if (!cpu.ok()) return CompileFrom(BackendChoice::kOpenCl, "auto chose opencl: the cpu backend " + cpu.message(), job);
  const Result<Race> race = RaceExecutables(job.graph, opencl->executable.get(), cpu->executable.get());
  if (!race.ok()) {
    opencl_failure_ = race.message();
    return CompileFrom(BackendChoice::kCpu, "auto chose cpu: the opencl backend failed (" + race.message() + ")", job);
  }
  Compiled* const chosen = race->first_ms < race->second_ms ? &*opencl : &*cpu;
  char text[96];
  std::snprintf(text, sizeof text, "auto chose %s: opencl takes %.2f ms, cpu %.2f ms, measured",
                BackendName(chosen->backend), race->first_ms, race->second_ms);
  chosen->reason = text;
  Print(chosen->reason);
  return std::move(*chosen);
}

Backends::Job Backends::MakeJob(const Graph& graph, int recommended_num_threads) const {
  return {graph, NumThreads(options_, recommended_num_threads)};
}

Result<Compiled> Backends::Compile(const Graph& graph, int recommended_num_threads) {
  const Job job = MakeJob(graph, recommended_num_threads);
  num_threads_ = job.num_threads;
  return options_.backend == BackendChoice::kAuto ? CompileAuto(job) : CompileFrom(options_.backend, "", job);
}

Result<Compiled> Backends::CompileAfterFailure(const Graph& graph, int recommended_num_threads,
                                               const std::string& failure) {
  const Job job = MakeJob(graph, recommended_num_threads);
  num_threads_ = job.num_threads;
  opencl_failure_ = "it failed in an inference: " + failure;
  return CompileFrom(BackendChoice::kCpu, "the opencl backend failed (" + failure + "), the cpu backend runs instead",
                     job);
}

}  // namespace mcpruner
