// A DelegatedPartition stands in for one partition in the runtime's execution plan.
//
//     init     parse the partition's nodes and read their weights (a failure is kept and told by prepare: the
//              runtimes' own way of failing in init crashes tflite-runtime 2.14)
//     prepare  sizes of the inputs -> graph -> fusion -> backend; the output tensors get their sizes, those that only
//              expand a constant none, since nobody reads them (expanders.h)
//     invoke   hand the data pointers to the backend
//     free     forget
//
// Nothing that is thrown leaves these functions: an exception that reached the runtime would end the process.

#ifndef MCPRUNER_DELEGATE_TFLITE_RUN_DELEGATED_PARTITION_H_
#define MCPRUNER_DELEGATE_TFLITE_RUN_DELEGATED_PARTITION_H_

#include <memory>
#include <string>
#include <vector>

#include "delegate/tflite/abi/tflite_abi.h"
#include "delegate/tflite/lower/graph_builder.h"
#include "delegate/tflite/parse/node_plan.h"
#include "delegate/tflite/report/report.h"
#include "delegate/tflite/run/delegate.h"

namespace mcpruner {

class DelegatedPartition {
 public:
  // `delegate` is never null: it lives until the last of its partitions is gone.
  DelegatedPartition(std::shared_ptr<Delegate> delegate, TfLiteContext* context, const TfLiteDelegateParams& params);
  ~DelegatedPartition();
  DelegatedPartition(const DelegatedPartition&) = delete;
  DelegatedPartition& operator=(const DelegatedPartition&) = delete;

  Status Prepare(TfLiteContext* context);
  Status Invoke(TfLiteContext* context);

  // These must be called under the delegate's mutex.
  void SetProfiling(bool enabled);
  PartitionReport Report() const;
  const TfLiteContext* context() const { return context_; }

 private:
  // A Ready has what is needed to run, for some sizes of the inputs.
  struct Ready {
    BuiltGraph built;
    std::vector<Dims> input_dims;
    Compiled compiled;
    std::vector<const float*> input_data;
    std::vector<float*> output_data;
  };

  Status Parse(TfLiteContext* context);
  // Returns whether there is nothing to compile, since the inputs have the sizes of ready_.
  bool IsReadyFor(const TfLiteContext* context) const;
  Status Compile(TfLiteContext* context);
  // Runs once. Where that is wanted, memory is poisoned first.
  Status Run();
  // Gives up a device that fails in an inference (memory, a reset), and runs the inference on the CPU.
  Status RunOrFallBack(const TfLiteContext* context);
  Status ResizeOutputs(TfLiteContext* context) const;
  // Moves a tensor from outputs_, if it is there, to unread_.
  void DropOutput(int tensor);

  const std::shared_ptr<Delegate> delegate_;
  const TfLiteContext* const context_;
  std::vector<int> node_indices_;
  std::vector<int> outputs_;  // TFLite's tensor numbers
  std::vector<int> unread_;   // those of nodes that expand constants
  Status parsed_ = Status::Ok();
  std::vector<NodePlan> plans_;   // none where all nodes expand constants
  std::unique_ptr<Ready> ready_;  // null until Compile succeeds, and after it failed
};

// Returns the functions above as the runtime calls them.
TfLiteRegistration KernelRegistration();

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_RUN_DELEGATED_PARTITION_H_
