// A Step is one op of a compiled graph, ready to run: its tensors, its tables and its split over threads.
//
//     MakeStep(context)     decides everything that depends on shapes; cuts the work into equal shares
//     memory is planned     TensorRef::data and scratch() are valid from here on, for good
//     Run(0), Run(1), ...   one call per share, at the same time on several threads; allocates nothing, locks nothing
//
// Before each step its output's zero rows are written (ClearBorders). The step writes all of its output's other
// elements, in every run: pixels, and of each row the left zeros and the fill (layout.h).
//
// To give an op a kernel: derive a Step in kernels/<op>/<op>_step.cc with a function
//
//     std::unique_ptr<Step> Make<Op>Step(const StepContext& context);      // null where it cannot do this op
//
// and add one line to steps.inc. What no line does runs through ReferenceStep, by way of NHWC. A step reads its inputs
// with whatever borders they have (other readers may want more than it does) and must not write to them. No input of an
// op that reaches a Make function is empty, nor is its output.
//
// SIMD code comes from `context.kernels` (kernels/kernel_table.h says how it is added).

#ifndef MCPRUNER_DELEGATE_CPU_STEP_H_
#define MCPRUNER_DELEGATE_CPU_STEP_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "delegate/cpu/kernels/kernel_table.h"
#include "delegate/cpu/layout.h"
#include "delegate/graph/graph.h"
#include "delegate/graph/span.h"

namespace mcpruner {

// Share `share` of `count` equal pieces of work, as evenly as whole numbers allow.
struct Range {
  int begin = 0, end = 0;
};
inline Range EvenShare(int count, int share, int num_shares) {
  return {static_cast<int>(int64_t{count} * share / num_shares),
          static_cast<int>(int64_t{count} * (share + 1) / num_shares)};
}

// A tensor of the graph in HCW. Steps keep pointers to these.
struct TensorRef {
  HcwLayout layout;
  float* data = nullptr;  // start of the buffer; null until memory is planned
};

// What a step is made of. Graph, tensors and kernels outlive the step.
struct StepContext {
  const Graph& graph;
  const Op& op;
  const std::vector<TensorRef>& tensors;  // as graph.tensors
  const KernelTable& kernels;
  int num_threads = 1;  // or as many equal shares as a step is to have, if there are more (thread_pool.h)
  // Rows of the output, counted over all images, that make the shares of a step that streams rows (row_step.h);
  // empty: one equal share for each thread.
  Span<const Range> row_shares = {};

  const TensorRef& input(size_t i) const { return tensors[static_cast<size_t>(op.inputs[i])]; }
  const TensorRef& output() const { return tensors[static_cast<size_t>(op.output)]; }
  // Of a step whose shares may be rows.
  int NumShares() const { return row_shares.empty() ? num_threads : static_cast<int>(row_shares.size()); }
};

class Step {
 public:
  virtual ~Step() = default;
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;

  // Does one share of the work, 0 .. num_shares() - 1.
  virtual void Run(int share) const = 0;

  // Floats of memory that the step needs while it runs, for all shares together.
  virtual int64_t ScratchFloats() const { return 0; }
  void set_scratch(float* scratch) { scratch_ = scratch; }

  int num_shares() const { return num_shares_; }
  // Which kernel runs, for profiles: "conv g4 avx512".
  const std::string& kernel() const { return kernel_; }

 protected:
  // `num_shares` is 1, StepContext::num_threads or NumShares().
  Step(std::string kernel, int num_shares) : kernel_(std::move(kernel)), num_shares_(num_shares) {}
  float* scratch() const { return scratch_; }

 private:
  const std::string kernel_;
  const int num_shares_;
  float* scratch_ = nullptr;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_STEP_H_
