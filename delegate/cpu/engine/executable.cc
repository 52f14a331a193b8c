#include "delegate/cpu/engine/executable.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "delegate/cpu/engine/make_step.h"
#include "delegate/cpu/kernels/pack/pack_step.h"
#include "delegate/cpu/step/layout_plan.h"
#include "delegate/cpu/threads/flush_subnormals.h"
#include "delegate/graph/op_stats.h"
#include "delegate/graph/passes/fold_epilogues.h"
#include "delegate/graph/passes/memory_plan.h"

namespace mcpruner {
namespace {

constexpr int64_t kFloatBytes = sizeof(float);
// An op with less of both is done before a second thread has heard of it. Other numbers were not measured.
constexpr int64_t kFewMultiplyAdds = 50000;
constexpr int64_t kFewBytes = 32 * 1024;

// Returns whether the op is left to one thread.
bool IsSmall(const Graph& graph, const Op& op) {
  const OpProfile work = DescribeOp(graph, op);
  return work.macs < kFewMultiplyAdds && work.bytes < kFewBytes;
}

// Calls f(share) for each share on the pool.
template <class Function>
void InParallel(ThreadPool* pool, const Function& f) {
  pool->Run([](void* context, int share) { (*static_cast<const Function*>(context))(share); },
            const_cast<void*>(static_cast<const void*>(&f)));
}

}  // namespace

CpuExecutable::CpuExecutable(const Graph& graph, const MicroKernels& micro_kernels, std::shared_ptr<ThreadPool> pool,
                             int64_t l2_bytes)
    : graph_(WithEpilogues(graph)), micro_kernels_(micro_kernels), pool_(std::move(pool)) {
  for (const HcwLayout& layout : PlanLayouts(graph_)) tensors_.push_back({layout, nullptr});
  for (const Op& op : graph_.ops) weight_bytes_ += OpWeightBytes(op);
  MakeStages(l2_bytes);
  PlanArena();
  PackConstants();
  DescribeStages();
}

void CpuExecutable::MakeStages(int64_t l2_bytes) {
  std::vector<std::unique_ptr<Step>> steps;  // one for each op by itself
  Reaches reaches;
  const auto context_of = [&](const Op& op, int num_shares) {
    return StepContext{graph_, op, tensors_, micro_kernels_, num_shares};
  };
  for (const Op& op : graph_.ops) {
    steps.push_back(MakeStep(context_of(op, IsSmall(graph_, op) ? 1 : pool_->num_shares())));
    reaches.push_back(steps.back() == nullptr ? std::nullopt : steps.back()->Reach());
  }
  std::vector<HcwLayout> layouts;
  for (const TensorRef& tensor : tensors_) layouts.push_back(tensor.layout);
  for (const Chain& chain : PlanChains(graph_, layouts, reaches, l2_bytes)) {
    const Op& last = graph_.ops[chain.first_op + chain.num_ops - 1];
    Stage stage{chain.first_op, chain.num_ops, std::move(steps[chain.first_op]), nullptr, last.output};
    if (chain.num_ops > 1) {
      auto stream = std::make_unique<StreamStep>(context_of(last, pool_->num_shares()), chain, reaches);
      stage.stream = stream.get();
      stage.step = std::move(stream);
    }
    stages_.push_back(std::move(stage));
  }
}

std::vector<Lifetime> CpuExecutable::StageLifetimes() const {
  std::vector<int> stage_of_op;
  std::vector<bool> streamed(graph_.tensors.size());  // whether a stream step keeps the tensor
  for (size_t s = 0; s < stages_.size(); ++s) {
    for (size_t i = 0; i < stages_[s].num_ops; ++i) {
      stage_of_op.push_back(static_cast<int>(s));
      const int output = graph_.ops[stages_[s].first_op + i].output;
      streamed[static_cast<size_t>(output)] = output != stages_[s].output;
    }
  }
  std::vector<Lifetime> lifetimes = TensorLifetimes(graph_);
  for (size_t i = 0; i < lifetimes.size(); ++i) {
    Lifetime& lifetime = lifetimes[i];
    if (streamed[i]) lifetime = {};
    if (lifetime.empty() || stages_.empty()) continue;
    lifetime.first_op = stage_of_op[static_cast<size_t>(lifetime.first_op)];
    lifetime.last_op = stage_of_op[static_cast<size_t>(lifetime.last_op)];
  }
  return lifetimes;
}

void CpuExecutable::PlanArena() {
  std::vector<BufferRequest> requests;
  for (const Lifetime& lifetime : StageLifetimes()) {
    const int64_t floats = tensors_[requests.size()].layout.BufferFloats();
    requests.push_back({floats * kFloatBytes, lifetime.first_op, lifetime.last_op});
  }
  for (size_t s = 0; s < stages_.size(); ++s) {
    const int64_t floats = stages_[s].step == nullptr ? 0 : stages_[s].step->ScratchFloats();
    requests.push_back({floats * kFloatBytes, static_cast<int>(s), static_cast<int>(s)});
  }
  const MemoryPlan plan = PlanMemory(requests);
  arena_ = AlignedFloats(plan.bytes / kFloatBytes);
  const auto place = [&](size_t request) { return arena_.data() + plan.offsets[request] / kFloatBytes; };
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (requests[i].bytes > 0 && requests[i].first_op <= requests[i].last_op) tensors_[i].data = place(i);
  }
  for (size_t s = 0; s < stages_.size(); ++s) {
    if (stages_[s].step != nullptr) stages_[s].step->set_scratch(place(tensors_.size() + s));
  }
}

void CpuExecutable::PackConstants() {
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const Tensor& tensor = graph_.tensors[i];
    if (tensor.data == nullptr) continue;
    constants_.emplace_back(tensors_[i].layout.BufferFloats());
    tensors_[i].data = constants_.back().data();
    if (tensor.shape.size() > 0) ToHcw(micro_kernels_, tensor.data->data(), tensors_[i], 0, 1);
  }
}

void CpuExecutable::DescribeStages() {
  const std::string transpose = std::string("transpose ") + micro_kernels_.target;
  for (const int i : graph_.inputs) {
    profile_.push_back(DescribeConversion(graph_, i, "Pack", transpose, kFloatBytes));
  }
  for (const Stage& stage : stages_) {
    for (size_t i = 0; i < stage.num_ops; ++i) {
      const Step* const step = stage.stream == nullptr ? stage.step.get() : &stage.stream->inner_step(i);
      profile_.push_back(DescribeOp(graph_, graph_.ops[stage.first_op + i]));
      profile_.back().kernel =
          step == nullptr ? "none" : step->micro_kernel() + (stage.stream == nullptr ? "" : ", streamed");
    }
  }
  for (const int i : graph_.outputs) {
    profile_.push_back(DescribeConversion(graph_, i, "Unpack", transpose, kFloatBytes));
  }
}

template <class Function>
void CpuExecutable::Timed(size_t profile, const Function& f) {
  if (!profiling_) return f();
  const auto start = std::chrono::steady_clock::now();
  f();
  const auto elapsed = std::chrono::steady_clock::now() - start;
  profile_[profile].runs += 1;
  profile_[profile].nanoseconds += std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count();
}

void CpuExecutable::PackInput(int tensor, const float* nhwc) {
  const TensorRef& to = tensors_[static_cast<size_t>(tensor)];
  if (to.data == nullptr) return;  // empty, or nobody reads it
  ClearBorders(to.layout, to.data);
  const int shares = pool_->num_shares();
  InParallel(pool_.get(), [&](int share) { ToHcw(micro_kernels_, nhwc, to, share, shares); });
}

void CpuExecutable::UnpackOutput(int tensor, float* nhwc) {
  const TensorRef& from = tensors_[static_cast<size_t>(tensor)];
  if (from.layout.elements() == 0) return;
  const int shares = pool_->num_shares();
  InParallel(pool_.get(), [&](int share) { FromHcw(micro_kernels_, from, nhwc, share, shares); });
}

void CpuExecutable::RunStage(const Stage& stage) {
  const Step* const step = stage.step.get();
  if (step == nullptr) return;
  const TensorRef& output = tensors_[static_cast<size_t>(stage.output)];
  ClearBorders(output.layout, output.data);
  if (step->num_shares() == 1) return step->Run(0);
  InParallel(pool_.get(), [step](int share) { step->Run(share); });
}

Status CpuExecutable::Run(Span<const float* const> inputs, Span<float* const> outputs) {
  MCPRUNER_RETURN_IF_ERROR(CheckEnds(graph_, inputs.size(), outputs.size()));
  const FlushSubnormals flush;
  for (size_t i = 0; i < inputs.size(); ++i) {
    Timed(i, [&] { PackInput(graph_.inputs[i], inputs[i]); });
  }
  for (const Stage& stage : stages_) {
    Timed(inputs.size() + stage.first_op, [&] { RunStage(stage); });
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    Timed(inputs.size() + graph_.ops.size() + i, [&] { UnpackOutput(graph_.outputs[i], outputs[i]); });
  }
  return Status::Ok();
}

void CpuExecutable::SetProfiling(bool enabled) {
  profiling_ = enabled;
  for (const Stage& stage : stages_) {
    if (stage.stream != nullptr) stage.stream->SetTiming(enabled);
  }
  if (!enabled) return;
  for (OpProfile& op : profile_) op.runs = op.nanoseconds = 0;
}

std::vector<OpProfile> CpuExecutable::Profile() const {
  std::vector<OpProfile> profile = profile_;
  for (const Stage& stage : stages_) {
    if (stage.stream == nullptr) continue;
    // The stage's time was added to its first op. It is divided among its ops in the ratio of the threads' times in
    // each.
    OpProfile* const ops = &profile[graph_.inputs.size() + stage.first_op];
    const OpProfile whole = ops[0];
    double all = 0;
    for (size_t i = 0; i < stage.num_ops; ++i) all += static_cast<double>(stage.stream->Nanoseconds(i));
    for (size_t i = 0; i < stage.num_ops; ++i) {
      const double part = all > 0 ? static_cast<double>(stage.stream->Nanoseconds(i)) / all : 0;
      ops[i].runs = whole.runs;
      ops[i].nanoseconds = static_cast<int64_t>(static_cast<double>(whole.nanoseconds) * part);
    }
  }
  return profile;
}

Status CpuExecutable::FillMemory(float value) {
  std::fill_n(arena_.data(), arena_.size(), value);
  return Status::Ok();
}

int64_t CpuExecutable::ArenaBytes() const { return arena_.size() * kFloatBytes; }

}  // namespace mcpruner
