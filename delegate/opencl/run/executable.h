// OpenClExecutable is a graph compiled for a device: all launches are made, and all memory is allocated.
//
//     caller NHWC --copy--> staging --pack--> [ arena: planes ] --unpack--> staging --copy--> caller NHWC
//                                               launch 0, 1, 2, ...
//
// There is one queue, which runs in order. The host waits for the outputs and for nothing before them. Where host and
// device share memory, staging buffers lie in memory of the host that the device reads (CL_MEM_ALLOC_HOST_PTR).

#ifndef MCPRUNER_DELEGATE_OPENCL_RUN_EXECUTABLE_H_
#define MCPRUNER_DELEGATE_OPENCL_RUN_EXECUTABLE_H_

#include <memory>
#include <vector>

#include "delegate/graph/backend.h"
#include "delegate/opencl/ops/step.h"
#include "delegate/opencl/run/queue_time.h"

namespace mcpruner::opencl {

// Guards are filled with this byte. As numbers they are then NaN, so that reading one shows in a result.
constexpr uint8_t kGuardByte = 0xFF;

class OpenClExecutable : public Executable {
 public:
  // `graph` must be validated. The error says what the device lacks.
  static Result<std::unique_ptr<OpenClExecutable>> Make(const Graph& graph, const DeviceTools& tools,
                                                        int guard_elements);

  Status Run(Span<const float* const> inputs, Span<float* const> outputs) override;
  void SetProfiling(bool enabled) override;
  std::vector<OpProfile> Profile() const override { return profile_; }
  Status FillMemory(float value) override;
  int64_t ArenaBytes() const override { return plan_.elements * ElementBytes(tools_.precision); }
  int64_t WeightBytes() const override { return weight_bytes_; }

  // Returns the microseconds that the device takes for all ops, without the copies at both ends (queue_time.h).
  // Afterwards the tensors hold anything.
  Result<double> KernelTime(int repeats) const { return QueueTime(tools_, steps_, repeats); }

  // Checks that the guards behind the slots, and the zeros around every tensor, are as they were made. Tests call this,
  // as they do FillMemory.
  Status CheckMemory() const;

 private:
  // An End is an input or output of the graph. It has no launch if it has no elements or nobody reads it.
  struct End {
    ClBuffer staging;
    size_t bytes = 0;
    std::vector<Launch> launches;
  };
  // A Timed is a launch, and the entry of the profile that its time belongs to.
  struct Timed {
    ClEvent event;
    size_t entry;
  };

  OpenClExecutable(const Graph& graph, const DeviceTools& tools, int guard_elements)
      : graph_(graph), tools_(tools), guard_elements_(guard_elements) {}

  Status Prepare();
  Status PlanArena();
  Status ClearArena();
  Status UploadConstants();
  Status PrepareSteps();
  Status MakeEnds();
  Result<End> MakeEnd(int tensor, bool is_input);

  Status WriteStaging(const End& end, const void* from);
  Status ReadStaging(const End& end, void* to);
  // Puts launches into the queue. `entry` is their entry in the profile.
  Status EnqueueAll(const std::vector<Launch>& launches, size_t entry);
  Status CollectTimes();
  Status Fill(int64_t first, int64_t elements, uint8_t byte);
  cl_command_queue queue() const { return timed_queue_ ? timed_queue_.get() : queue_.get(); }

  Graph graph_;
  const DeviceTools tools_;
  const int guard_elements_;
  ClQueue queue_, timed_queue_;  // timed_queue_ is there while profiling is on
  SlotPlan plan_;
  std::vector<PlaneTensor> tensors_;  // of graph_
  ClBuffer arena_;
  std::vector<Step> steps_;  // one for each of graph_.ops; without launches where there is nothing to do
  std::vector<End> inputs_, outputs_;
  int64_t weight_bytes_ = 0;
  int launches_since_flush_ = 0;
  std::vector<Timed> timed_;        // of the current run
  std::vector<OpProfile> profile_;  // inputs, ops, outputs
};

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_RUN_EXECUTABLE_H_
