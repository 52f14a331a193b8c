#include "delegate/cpu/engine/stream_step.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstring>
#include <utility>

#include "delegate/cpu/engine/make_step.h"

namespace mcpruner {
namespace {

constexpr int64_t kLineFloats = 16;  // buffers begin on a cache line

int64_t RoundUp(int64_t floats) { return (floats + kLineFloats - 1) / kLineFloats * kLineFloats; }

template <class Function>
int64_t TimeOf(const Function& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

StreamStep::StreamStep(const StepContext& context, const Chain& chain, const Reaches& reaches)
    : Step("stream", context.num_threads),
      graph_(context.graph),
      chain_(chain),
      outer_tensors_(context.tensors),
      buffer_floats_(chain.num_ops - 1) {
  for (int share = 0; share < num_shares(); ++share) AddThread(context, reaches, share);
}

void StreamStep::AddThread(const StepContext& context, const Reaches& reaches, int share) {
  const HcwLayout& out = context.output().layout;
  auto thread = std::make_unique<Thread>();
  thread->bands = PlanBands(graph_, chain_, reaches, EvenShare(out.n * out.h, share, num_shares()));
  thread->tensors = context.tensors;
  thread->nanoseconds.resize(chain_.num_ops);
  for (size_t i = 0; i < chain_.num_ops; ++i) {
    const Op& op = graph_.ops[chain_.first_op + i];
    const int height = graph_.tensor(op.output).shape.h;
    std::vector<Range> rows;
    for (const Band& band : thread->bands) {
      const Range made = band.ops[i].made;
      rows.push_back({band.image * height + made.begin, band.image * height + made.end});
      if (i + 1 == chain_.num_ops) continue;
      const HcwLayout& layout = context.tensors[static_cast<size_t>(op.output)].layout;
      const int64_t floats = (band.ops[i].there.end - band.ops[i].there.begin) * layout.row_stride() + kSlackFloats;
      buffer_floats_[i] = std::max(buffer_floats_[i], RoundUp(floats));
    }
    thread->steps.push_back(MakeStep({graph_, op, thread->tensors, context.micro_kernels, 1, rows}));
    // This step is of the kind that was asked for its reach, since the kind depends on shapes alone.
    assert(thread->steps.back()->Reach().has_value());
    inner_scratch_floats_ = std::max(inner_scratch_floats_, RoundUp(thread->steps.back()->ScratchFloats()));
  }
  threads_.push_back(std::move(thread));
}

int64_t StreamStep::ThreadFloats() const {
  int64_t floats = inner_scratch_floats_;
  for (const int64_t buffer : buffer_floats_) floats += buffer;
  return floats;
}

int64_t StreamStep::Nanoseconds(size_t i) const {
  int64_t sum = 0;
  for (const auto& thread : threads_) sum += thread->nanoseconds[i];
  return sum;
}

void StreamStep::SetTiming(bool enabled) {
  timing_ = enabled;
  if (!enabled) return;
  for (const auto& thread : threads_) std::fill(thread->nanoseconds.begin(), thread->nanoseconds.end(), 0);
}

void StreamStep::Run(int share) const {
  Thread& thread = *threads_[static_cast<size_t>(share)];
  float* const scratch = this->scratch() + share * ThreadFloats();
  for (size_t i = 0; i < chain_.num_ops; ++i) {
    thread.steps[i]->set_scratch(scratch);
    const Op& op = graph_.ops[chain_.first_op + i];
    for (const int tensor : op.inputs) CopyData(tensor, &thread);
    CopyData(op.output, &thread);
  }
  for (size_t b = 0; b < thread.bands.size(); ++b) {
    float* buffer = scratch + inner_scratch_floats_;
    for (size_t i = 0; i < chain_.num_ops; ++i) {
      const bool inner = i + 1 < chain_.num_ops;
      const auto run = [&] {
        if (inner) BeginBand(&thread, i, b, buffer);
        thread.steps[i]->Run(static_cast<int>(b));
        if (inner) ClearPadding(thread, i, b, buffer);
      };
      if (timing_) {
        thread.nanoseconds[i] += TimeOf(run);
      } else {
        run();
      }
      if (inner) buffer += buffer_floats_[i];
    }
  }
}

// Addresses are known only since memory was planned. (Those of tensors between ops are set in each band.)
void StreamStep::CopyData(int tensor, Thread* thread) const {
  thread->tensors[static_cast<size_t>(tensor)].data = outer_tensors_[static_cast<size_t>(tensor)].data;
}

void StreamStep::BeginBand(Thread* thread, size_t i, size_t b, float* buffer) const {
  TensorRef& tensor = thread->tensors[static_cast<size_t>(OutputOf(i))];
  const ptrdiff_t row = tensor.layout.row_stride();
  const Band& band = thread->bands[b];
  tensor.data = buffer;
  tensor.image = band.image;
  tensor.rows = band.ops[i].there;
  const int first = tensor.rows.begin;
  if (b > 0 && thread->bands[b - 1].image == band.image) {
    const Band::OpRows& before = thread->bands[b - 1].ops[i];
    const int kept = std::max(first, 0);
    if (kept < before.made.end) {
      // With the zeros behind the last row, which reach into the place of the next one.
      std::memmove(buffer + (kept - first) * row, buffer + (kept - before.there.begin) * row,
                   static_cast<size_t>((before.made.end - kept) * row + tensor.layout.border.left) * sizeof(float));
    }
  }
}

void StreamStep::ClearPadding(const Thread& thread, size_t i, size_t b, float* buffer) const {
  const HcwLayout& layout = thread.tensors[static_cast<size_t>(OutputOf(i))].layout;
  const Range there = thread.bands[b].ops[i].there;
  const int above = std::min(0, there.end) - there.begin, below = there.end - std::max(layout.h, there.begin);
  ClearBorders(layout, std::max(above, 0), below, there.end - there.begin, buffer);
}

}  // namespace mcpruner
