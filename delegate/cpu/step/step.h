// A Step is one op of a compiled graph, ready to run: its tensors, its tables and its split over threads.
//
//     MakeStep(context)     decides everything that depends on shapes; cuts the work into equal shares
//     memory is planned     TensorRef::data and scratch() are valid from here on, for good
//     Run(0), Run(1), ...   one call per share, at the same time on several threads; allocates nothing, locks nothing
//
// A step that can make chosen rows says which rows of its first input that takes (Step::Reach). Ops of such steps are
// streamed (engine/stream_step.h): then only the rows that it named are there, and it reads and writes no others.
//
// Before each step its output's zero rows are written (ClearBorders). The step writes all of its output's other
// elements, in every run: pixels, and of each row the left zeros and the fill (layout.h).
//
// To give an op a kernel: derive a Step in kernels/<op>/<op>_step.cc with a function that is named after the op's
// family in graph/ops.inc and that engine/make_step.cc includes,
//
//     std::unique_ptr<Step> Make<Family>Step(const StepContext& context);      // null where it cannot do this op
//
// Where it makes none, ReferenceStep runs the op by way of NHWC. A step reads its inputs with whatever borders they
// have (other readers may want more than it does) and must not write to them. No input of an op that reaches a Make
// function is empty, nor is its output.
//
// SIMD code comes from `context.micro_kernels` (kernels/micro_kernels.h says how it is added).

#ifndef MCPRUNER_DELEGATE_CPU_STEP_STEP_H_
#define MCPRUNER_DELEGATE_CPU_STEP_STEP_H_

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "delegate/base/span.h"
#include "delegate/cpu/step/layout.h"
#include "delegate/graph/graph.h"

namespace mcpruner {

struct MicroKernels;  // kernels/micro_kernels.h: micro-kernels stand on steps, not steps on them

// EvenShare returns share `share` of `count` pieces of work of equal size, cut as evenly as whole numbers allow.
struct Range {
  int begin = 0, end = 0;
};
inline Range EvenShare(int count, int share, int num_shares) {
  return {static_cast<int>(int64_t{count} * share / num_shares),
          static_cast<int>(int64_t{count} * (share + 1) / num_shares)};
}

// Calls f(image, rows of it) for each image's part of `rows`, which are counted over all images of `height` rows.
template <class Function>
void ForEachImage(Range rows, int height, const Function& f) {
  for (int row = rows.begin; row < rows.end;) {
    const int image = row / height, first = row % height, last = std::min(height, first + rows.end - row);
    f(image, Range{first, last});
    row += last - first;
  }
}

// A tensor of the graph in HCW, or those rows of it that are there. Steps keep pointers to these.
struct TensorRef {
  HcwLayout layout;
  float* data = nullptr;  // the first float that is there; null until memory is planned
  // Between streamed ops, only the rows `rows` of image `image` are there. With -1, all rows of all images are.
  int image = -1;
  Range rows = {};

  // Returns which rows of an image are there. The range begins below 0 and ends beyond the last row where there are
  // rows of zeros.
  Range There() const { return image < 0 ? Range{-layout.border.top, layout.h + layout.border.bottom} : rows; }

  // Returns pixel 0 of channel 0 of the first of some rows of an image. A step asks for all rows that it is going to
  // read or write from that pointer on; a debug build checks that they are there.
  float* Rows(int of_image, Range wanted) const {
    assert(image < 0 ? of_image >= 0 && of_image < layout.n : of_image == image);
    assert(wanted.begin >= There().begin && wanted.end <= There().end);
    const ptrdiff_t first = image < 0 ? 0 : layout.Pixel(image, rows.begin, 0, -layout.border.left);
    return data + (layout.Pixel(of_image, wanted.begin, 0, 0) - first);
  }
};

// RowReach says which rows of its first input a step reads for the rows of its output: row y is made from a window of
// `height` rows that begins at y * stride / divisor - padding, rounded down. The divisor is above 1 where the output
// has more rows than the input. A step that makes rows in tiles of `tile`, counted from row 0, reads what whole tiles
// need.
struct RowReach {
  int stride = 1, padding = 0, height = 1, tile = 1, divisor = 1;

  // Returns the reach of a convolution or pool. ValidateGraph bounds its parameters, so that row numbers fit an int.
  static RowReach Of(const Window& window, int kernel_height) {
    return {window.stride_h, window.padding.top, (kernel_height - 1) * window.dilation_h + 1};
  }

  // Returns the rows that are read to make rows `made` (at least one) of an image. Rows below 0, and beyond the input's
  // last one, are padding. When both ends of `made` move down the image, neither end of the result moves up.
  Range InputRows(Range made) const {
    const int first = made.begin / tile * tile, last = (made.end - 1) / tile * tile + tile - 1;
    return {WindowOf(first), WindowOf(last) + height};
  }
  // Returns the most rows that are read to make `rows` rows, wherever these begin.
  int64_t MostInputRows(int64_t rows) const {
    const int64_t in_tiles = tile == 1 ? rows : (rows + 2 * (tile - 1)) / tile * tile;
    return ((in_tiles - 1) * stride + divisor - 1) / divisor + height;
  }

 private:
  int WindowOf(int row) const { return static_cast<int>(int64_t{row} * stride / divisor) - padding; }
};

// A step is made from its context. Graph, tensors and micro-kernels outlive the step.
struct StepContext {
  const Graph& graph;
  const Op& op;
  const std::vector<TensorRef>& tensors;  // as graph.tensors
  const MicroKernels& micro_kernels;
  int num_threads = 1;  // where more equal shares than threads are wanted, their number (thread_pool.h)
  // The shares of a step that has a Reach, as rows of the output that are counted over all images. Each share lies in
  // one image, and shares run one after the other. Where this is empty, each thread has one equal share.
  Span<const Range> row_shares = {};

  const TensorRef& input(size_t i) const { return tensors[static_cast<size_t>(op.inputs[i])]; }
  const TensorRef& output() const { return tensors[static_cast<size_t>(op.output)]; }
  // Returns the number of shares of a step whose shares may be rows.
  int NumShares() const { return row_shares.empty() ? num_threads : static_cast<int>(row_shares.size()); }
};

class Step {
 public:
  virtual ~Step() = default;
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;

  // Does one share of the work, 0 .. num_shares() - 1.
  virtual void Run(int share) const = 0;

  // Returns a value for a step whose shares may be chosen rows (StepContext::row_shares). Of its other inputs, all rows
  // are there.
  virtual std::optional<RowReach> Reach() const { return std::nullopt; }

  // Returns how many floats of memory the step needs while it runs, for all shares together.
  virtual int64_t ScratchFloats() const { return 0; }
  void set_scratch(float* scratch) { scratch_ = scratch; }

  int num_shares() const { return num_shares_; }
  // Names the micro-kernel that runs, for profiles: "conv g4 avx512".
  const std::string& micro_kernel() const { return micro_kernel_; }

 protected:
  // `num_shares` is 1, StepContext::num_threads or NumShares().
  Step(std::string micro_kernel, int num_shares) : micro_kernel_(std::move(micro_kernel)), num_shares_(num_shares) {}
  float* scratch() const { return scratch_; }

 private:
  const std::string micro_kernel_;
  const int num_shares_;
  float* scratch_ = nullptr;
};

// A function of this type makes the step of an op, or returns null where it cannot do this op.
using MakeStepFunction = std::unique_ptr<Step> (*)(const StepContext& context);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_STEP_STEP_H_
