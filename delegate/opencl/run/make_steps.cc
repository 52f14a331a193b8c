#include "delegate/opencl/run/make_steps.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <utility>

#include "delegate/opencl/run/parallel.h"

namespace mcpruner::opencl {
namespace {

constexpr auto kLong = std::chrono::seconds(2);

// Progress logs a line every now and then.
class Progress {
 public:
  Progress(size_t total, const DeviceTools& tools) : total_(total), tools_(tools) {}

  void Done() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++done_;
    const auto now = std::chrono::steady_clock::now();
    const bool last = done_ == total_;
    if (!tools_.log || (last ? now - start_ < kLong : now - told_ < kLong)) return;
    told_ = now;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - start_).count();
    tools_.log("compiling for '" + tools_.device->info().name + "': " + std::to_string(done_) + " of " +
               std::to_string(total_) + " operators in " + std::to_string(seconds) + " s" +
               (last && !tools_.tuned->enabled() ? "; with option cache_dir the next start is quick" : ""));
  }

 private:
  const size_t total_;
  const DeviceTools& tools_;
  std::mutex mutex_;
  size_t done_ = 0;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point told_ = start_;
};

Result<Step> StepOfType(const StepContext& context) {
  switch (context.op.type) {
#define MCPRUNER_OP(name, Params, fewest, most, activation, family) \
  case OpType::k##name:                                             \
    return Make##family##Step(context);
#include "delegate/graph/ops.inc"
#undef MCPRUNER_OP
  }
  return Status::Error("it has no kernel");
}

Result<Step> MakeStep(const StepContext& context) {
  const auto empty = [&](int tensor) { return context.graph.tensor(tensor).shape.size() == 0; };
  if (empty(context.op.output)) return Step();
  if (std::any_of(context.op.inputs.begin(), context.op.inputs.end(), empty)) {
    return Status::Error("op '" + context.op.name + "' makes elements of an empty tensor");
  }
  Result<Step> step = StepOfType(context);
  if (!step.ok()) return Status::Error("op '" + context.op.name + "': " + step.message());
  return step;
}

}  // namespace

Result<std::vector<Step>> MakeSteps(const Graph& graph, const std::vector<PlaneTensor>& tensors,
                                    const DeviceTools& tools, cl_mem arena) {
  const size_t count = graph.ops.size();
  std::vector<Step> steps(count);
  std::vector<Status> results(count, Status::Ok());
  Progress progress(count, tools);
  ForEach(count, tools.tiles.build_threads, [&](size_t k) {
    Result<Step> step = MakeStep({graph, graph.ops[k], tensors, tools, arena});
    if (step.ok()) {
      steps[k] = std::move(*step);
    } else {
      results[k] = step.status();
    }
    progress.Done();
  });
  for (const Status& result : results) MCPRUNER_RETURN_IF_ERROR(result);
  return steps;
}

}  // namespace mcpruner::opencl
