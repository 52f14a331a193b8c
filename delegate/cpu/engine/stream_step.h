// StreamStep runs a chain of ops band by band (stream_plan.h). Each thread makes some rows of the last op's output. It
// has steps of its own for all ops of the chain, and recomputes the rows at its ends that a neighbouring thread makes
// as well.
//
// A tensor between two ops is a buffer of the rows that are there in one band, in their usual layout: TensorRef::rows
// says which. They are the rows that the next op's step asks for (RowReach) to make its own rows of the band. Between
// two bands, the rows that are kept move to the top:
//
//     rows 0 .. 2 are gone   data --> [ row 3, kept ][ row 4, kept ][ row 5 ][ row 6 ][ row 7 ][ row 8 ]
//
// A thread's memory is [scratch of the inner steps | buffer 0 | buffer 1 | ...].

#ifndef MCPRUNER_DELEGATE_CPU_ENGINE_STREAM_STEP_H_
#define MCPRUNER_DELEGATE_CPU_ENGINE_STREAM_STEP_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "delegate/cpu/engine/stream_plan.h"
#include "delegate/cpu/step/step.h"

namespace mcpruner {

class StreamStep : public Step {
 public:
  // `context.op` is the chain's last op. `reaches` has an element for each op of the graph, as in PlanChains.
  StreamStep(const StepContext& context, const Chain& chain, const Reaches& reaches);

  void Run(int share) const override;
  int64_t ScratchFloats() const override { return num_shares() * ThreadFloats(); }

  // Begins, or stops, to time each op of the chain.
  void SetTiming(bool enabled);
  // Returns the time that all threads together have spent in op i of the chain since timing began.
  int64_t Nanoseconds(size_t i) const;
  // Returns one thread's step of op i.
  const Step& inner_step(size_t i) const { return *threads_[0]->steps[i]; }

 private:
  struct Thread {
    std::vector<Band> bands;
    std::vector<TensorRef> tensors;  // as graph.tensors; those between ops are this thread's buffers
    std::vector<std::unique_ptr<Step>> steps;
    std::vector<int64_t> nanoseconds;
  };

  void AddThread(const StepContext& context, const Reaches& reaches, int share);
  int64_t ThreadFloats() const;
  int OutputOf(size_t i) const { return graph_.ops[chain_.first_op + i].output; }
  void CopyData(int tensor, Thread* thread) const;
  // Run before and after op i makes its rows of band b, if another op follows: BeginBand lets the op's output lie in
  // `buffer` and moves the rows that are kept, ClearPadding writes the zeros around the rows that are there.
  void BeginBand(Thread* thread, size_t i, size_t b, float* buffer) const;
  void ClearPadding(const Thread& thread, size_t i, size_t b, float* buffer) const;

  const Graph& graph_;
  const Chain chain_;
  const std::vector<TensorRef>& outer_tensors_;
  std::vector<int64_t> buffer_floats_;  // of each tensor between ops, slack included
  int64_t inner_scratch_floats_ = 0;
  std::vector<std::unique_ptr<Thread>> threads_;
  bool timing_ = false;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_ENGINE_STREAM_STEP_H_
