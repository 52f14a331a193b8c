// A graph compiled for the cpu backend: pack the inputs, run the steps in order, unpack the outputs.
//
//     caller NHWC --pack--> [ arena: HCW tensors and the steps' scratch ] --unpack--> caller NHWC
//                             step 0, step 1, ...: one parallel section each

#ifndef MCPRUNER_DELEGATE_CPU_CPU_EXECUTABLE_H_
#define MCPRUNER_DELEGATE_CPU_CPU_EXECUTABLE_H_

#include <memory>
#include <vector>

#include "delegate/cpu/aligned_floats.h"
#include "delegate/cpu/step.h"
#include "delegate/cpu/thread_pool.h"
#include "delegate/graph/backend.h"

namespace mcpruner {

class CpuExecutable : public Executable {
 public:
  // `graph` is validated.
  CpuExecutable(const Graph& graph, const KernelTable& kernels, std::shared_ptr<ThreadPool> pool);

  Status Run(Span<const float* const> inputs, Span<float* const> outputs) override;
  void SetProfiling(bool enabled) override;
  std::vector<OpProfile> Profile() const override;
  int64_t ArenaBytes() const override;
  int64_t WeightBytes() const override { return weight_bytes_; }

 private:
  void MakeSteps();
  void PlanArena();
  void PackConstants();
  void DescribeSteps();
  // The profile entry of a conversion of a graph input or output.
  OpProfile DescribeConversion(int tensor, const char* type) const;

  void PackInput(int tensor, const float* nhwc);
  void UnpackOutput(int tensor, float* nhwc);
  void RunStep(size_t i);
  // Runs f() and adds its time to a profile entry while profiling is on.
  template <class Function>
  void Timed(size_t profile, const Function& f);

  const Graph graph_;
  const KernelTable& kernels_;
  const std::shared_ptr<ThreadPool> pool_;
  std::vector<TensorRef> tensors_;            // of graph_
  std::vector<std::unique_ptr<Step>> steps_;  // of graph_.ops; null for those with nothing to do
  AlignedFloats arena_;
  std::vector<AlignedFloats> constants_;
  int64_t weight_bytes_ = 0;
  bool profiling_ = false;
  std::vector<OpProfile> profile_;  // inputs, ops, outputs
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_CPU_EXECUTABLE_H_
