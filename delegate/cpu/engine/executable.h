// CpuExecutable is a graph compiled for the cpu backend: it packs the inputs, runs the steps in order and unpacks the
// outputs.
//
//     caller NHWC --pack--> [ arena: HCW tensors and the steps' scratch ] --unpack--> caller NHWC
//                             step 0, step 1, ...: one parallel section each

#ifndef MCPRUNER_DELEGATE_CPU_ENGINE_EXECUTABLE_H_
#define MCPRUNER_DELEGATE_CPU_ENGINE_EXECUTABLE_H_

#include <memory>
#include <vector>

#include "delegate/cpu/engine/stream_step.h"
#include "delegate/cpu/step/aligned_floats.h"
#include "delegate/cpu/step/step.h"
#include "delegate/cpu/threads/thread_pool.h"
#include "delegate/graph/backend.h"
#include "delegate/graph/passes/lifetimes.h"

namespace mcpruner {

class CpuExecutable : public Executable {
 public:
  // `graph` must be validated. Ops are streamed (stream_plan.h) through a cache of `l2_bytes`; with 0, no op is
  // streamed.
  CpuExecutable(const Graph& graph, const MicroKernels& micro_kernels, std::shared_ptr<ThreadPool> pool,
                int64_t l2_bytes);

  Status Run(Span<const float* const> inputs, Span<float* const> outputs) override;
  void SetProfiling(bool enabled) override;
  std::vector<OpProfile> Profile() const override;
  Status FillMemory(float value) override;
  int64_t ArenaBytes() const override;
  int64_t WeightBytes() const override { return weight_bytes_; }

 private:
  // A stage is one or more neighbouring ops that run together.
  struct Stage {
    size_t first_op = 0, num_ops = 1;
    std::unique_ptr<Step> step;    // null where there is nothing to do
    StreamStep* stream = nullptr;  // the step, if ops are streamed
    int output = 0;                // tensor
  };

  void MakeStages(int64_t l2_bytes);
  // Returns when each tensor is needed, counted in stages.
  std::vector<Lifetime> StageLifetimes() const;
  void PlanArena();
  void PackConstants();
  void DescribeStages();

  void PackInput(int tensor, const float* nhwc);
  void UnpackOutput(int tensor, float* nhwc);
  void RunStage(const Stage& stage);
  // Runs f() and adds its time to a profile entry while profiling is on.
  template <class Function>
  void Timed(size_t profile, const Function& f);

  const Graph graph_;
  const MicroKernels& micro_kernels_;
  const std::shared_ptr<ThreadPool> pool_;
  std::vector<TensorRef> tensors_;  // of graph_
  std::vector<Stage> stages_;       // of graph_.ops, in order
  AlignedFloats arena_;
  std::vector<AlignedFloats> constants_;
  int64_t weight_bytes_ = 0;
  bool profiling_ = false;
  std::vector<OpProfile> profile_;  // inputs, ops, outputs
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_ENGINE_EXECUTABLE_H_
