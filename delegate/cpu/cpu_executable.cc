#include "delegate/cpu/cpu_executable.h"

#include <chrono>
#include <string>
#include <utility>

#include "delegate/cpu/kernels/pack/pack_step.h"
#include "delegate/cpu/layout_plan.h"
#include "delegate/cpu/make_step.h"
#include "delegate/graph/lifetimes.h"
#include "delegate/graph/memory_plan.h"
#include "delegate/graph/op_stats.h"

namespace mcpruner {
namespace {

constexpr int64_t kFloatBytes = sizeof(float);

// Calls f(share) for each share on the pool.
template <class Function>
void InParallel(ThreadPool* pool, const Function& f) {
  pool->Run([](void* context, int share) { (*static_cast<const Function*>(context))(share); },
            const_cast<void*>(static_cast<const void*>(&f)));
}

}  // namespace

CpuExecutable::CpuExecutable(const Graph& graph, const KernelTable& kernels, std::shared_ptr<ThreadPool> pool)
    : graph_(graph), kernels_(kernels), pool_(std::move(pool)) {
  for (const HcwLayout& layout : PlanLayouts(graph_)) tensors_.push_back({layout, nullptr});
  MakeSteps();
  PlanArena();
  PackConstants();
  DescribeSteps();
}

void CpuExecutable::MakeSteps() {
  for (const Op& op : graph_.ops) {
    steps_.push_back(MakeStep({graph_, op, tensors_, kernels_, pool_->num_threads()}));
    weight_bytes_ += OpWeightBytes(op);
  }
}

void CpuExecutable::PlanArena() {
  std::vector<BufferRequest> requests;
  for (const Lifetime& lifetime : TensorLifetimes(graph_)) {
    const int64_t floats = tensors_[requests.size()].layout.BufferFloats();
    requests.push_back({floats * kFloatBytes, lifetime.first_op, lifetime.last_op});
  }
  for (size_t k = 0; k < steps_.size(); ++k) {
    const int64_t floats = steps_[k] == nullptr ? 0 : steps_[k]->ScratchFloats();
    requests.push_back({floats * kFloatBytes, static_cast<int>(k), static_cast<int>(k)});
  }
  const MemoryPlan plan = PlanMemory(requests);
  arena_ = AlignedFloats(plan.bytes / kFloatBytes);
  const auto place = [&](size_t request) { return arena_.data() + plan.offsets[request] / kFloatBytes; };
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (requests[i].bytes > 0 && requests[i].first_op <= requests[i].last_op) tensors_[i].data = place(i);
  }
  for (size_t k = 0; k < steps_.size(); ++k) {
    if (steps_[k] != nullptr) steps_[k]->set_scratch(place(tensors_.size() + k));
  }
}

void CpuExecutable::PackConstants() {
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const Tensor& tensor = graph_.tensors[i];
    if (tensor.data == nullptr) continue;
    constants_.emplace_back(tensors_[i].layout.BufferFloats());
    tensors_[i].data = constants_.back().data();
    if (tensor.shape.size() > 0) PackTensor(kernels_, tensor.data->data(), tensors_[i], 0, 1);
  }
}

void CpuExecutable::DescribeSteps() {
  for (const int i : graph_.inputs) profile_.push_back(DescribeConversion(i, "Pack"));
  for (size_t k = 0; k < steps_.size(); ++k) {
    profile_.push_back(DescribeOp(graph_, graph_.ops[k]));
    profile_.back().kernel = steps_[k] == nullptr ? "none" : steps_[k]->kernel();
  }
  for (const int i : graph_.outputs) profile_.push_back(DescribeConversion(i, "Unpack"));
}

OpProfile CpuExecutable::DescribeConversion(int tensor, const char* type) const {
  OpProfile profile;
  profile.name = graph_.tensor(tensor).name;
  profile.type = type;
  profile.kernel = std::string("transpose ") + kernels_.target;
  profile.input = profile.output = graph_.tensor(tensor).shape;
  profile.bytes = 2 * profile.input.size() * kFloatBytes;
  return profile;
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
  const int shares = pool_->num_threads();
  InParallel(pool_.get(), [&](int share) { PackTensor(kernels_, nhwc, to, share, shares); });
}

void CpuExecutable::UnpackOutput(int tensor, float* nhwc) {
  const TensorRef& from = tensors_[static_cast<size_t>(tensor)];
  if (from.layout.elements() == 0) return;
  const int shares = pool_->num_threads();
  InParallel(pool_.get(), [&](int share) { UnpackTensor(kernels_, from, nhwc, share, shares); });
}

void CpuExecutable::RunStep(size_t i) {
  const Step* const step = steps_[i].get();
  if (step == nullptr) return;
  const TensorRef& output = tensors_[static_cast<size_t>(graph_.ops[i].output)];
  ClearBorders(output.layout, output.data);
  if (step->num_shares() == 1) return step->Run(0);
  InParallel(pool_.get(), [step](int share) { step->Run(share); });
}

Status CpuExecutable::Run(Span<const float* const> inputs, Span<float* const> outputs) {
  if (inputs.size() != graph_.inputs.size() || outputs.size() != graph_.outputs.size()) {
    return Status::Error("expected " + std::to_string(graph_.inputs.size()) + " inputs and " +
                         std::to_string(graph_.outputs.size()) + " outputs, got " + std::to_string(inputs.size()) +
                         " and " + std::to_string(outputs.size()));
  }
  size_t profile = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    Timed(profile++, [&] { PackInput(graph_.inputs[i], inputs[i]); });
  }
  for (size_t k = 0; k < steps_.size(); ++k) {
    Timed(profile++, [&] { RunStep(k); });
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    Timed(profile++, [&] { UnpackOutput(graph_.outputs[i], outputs[i]); });
  }
  return Status::Ok();
}

void CpuExecutable::SetProfiling(bool enabled) {
  profiling_ = enabled;
  if (!enabled) return;
  for (OpProfile& op : profile_) op.runs = op.nanoseconds = 0;
}

std::vector<OpProfile> CpuExecutable::Profile() const { return profile_; }

int64_t CpuExecutable::ArenaBytes() const { return arena_.size() * kFloatBytes; }

}  // namespace mcpruner
