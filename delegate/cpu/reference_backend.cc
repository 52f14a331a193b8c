#include "delegate/cpu/reference_backend.h"

#include <algorithm>
#include <chrono>

#include "delegate/cpu/kernels/reference_ops.h"
#include "delegate/graph/op_stats.h"
#include "delegate/graph/passes/lifetimes.h"
#include "delegate/graph/passes/memory_plan.h"

namespace mcpruner {
namespace {

constexpr int64_t kFloatBytes = sizeof(float);

class ReferenceExecutable : public Executable {
 public:
  explicit ReferenceExecutable(const Graph& graph) : graph_(graph), pointers_(graph.tensors.size()) {
    PlanArena();
    size_t most_inputs = 0;
    for (const Op& op : graph_.ops) {
      most_inputs = std::max(most_inputs, op.inputs.size());
      profile_.push_back(DescribeOp(graph_, op));
      profile_.back().kernel = "reference";
      weight_bytes_ += OpWeightBytes(op);
    }
    op_inputs_.reserve(most_inputs);
  }

  Status Run(Span<const float* const> inputs, Span<float* const> outputs) override {
    MCPRUNER_RETURN_IF_ERROR(CheckEnds(graph_, inputs.size(), outputs.size()));
    for (size_t i = 0; i < inputs.size(); ++i) pointers_[static_cast<size_t>(graph_.inputs[i])] = inputs[i];
    for (size_t k = 0; k < graph_.ops.size(); ++k) MCPRUNER_RETURN_IF_ERROR(RunOp(k));
    for (size_t i = 0; i < outputs.size(); ++i) {
      const int tensor = graph_.outputs[i];
      std::copy_n(pointers_[static_cast<size_t>(tensor)], graph_.tensor(tensor).shape.size(), outputs[i]);
    }
    return Status::Ok();
  }

  void SetProfiling(bool enabled) override {
    profiling_ = enabled;
    if (!enabled) return;
    for (OpProfile& op : profile_) op.runs = op.nanoseconds = 0;
  }
  std::vector<OpProfile> Profile() const override { return profile_; }
  Status FillMemory(float value) override {
    std::fill(arena_.begin(), arena_.end(), value);
    return Status::Ok();
  }
  int64_t ArenaBytes() const override { return static_cast<int64_t>(arena_.size()) * kFloatBytes; }
  int64_t WeightBytes() const override { return weight_bytes_; }

 private:
  // Decides where each constant and each computed tensor lies. Run binds the inputs.
  void PlanArena() {
    std::vector<BufferRequest> requests;
    for (const Lifetime& lifetime : TensorLifetimes(graph_)) {
      const Shape& shape = graph_.tensors[requests.size()].shape;
      requests.push_back({shape.size() * kFloatBytes, lifetime.first_op, lifetime.last_op});
    }
    for (const int i : graph_.inputs) requests[static_cast<size_t>(i)].bytes = 0;  // the caller's memory
    const MemoryPlan plan = PlanMemory(requests);
    arena_.resize(static_cast<size_t>(plan.bytes / kFloatBytes));
    for (size_t i = 0; i < requests.size(); ++i) {
      const Tensor& tensor = graph_.tensors[i];
      pointers_[i] = tensor.data != nullptr ? tensor.data->data() : arena_.data() + plan.offsets[i] / kFloatBytes;
    }
    for (const Op& op : graph_.ops) {
      outputs_.push_back(arena_.data() + plan.offsets[static_cast<size_t>(op.output)] / kFloatBytes);
    }
  }

  Status RunOp(size_t k) {
    const Op& op = graph_.ops[k];
    op_inputs_.clear();
    for (const int i : op.inputs) op_inputs_.push_back(pointers_[static_cast<size_t>(i)]);
    if (!profiling_) return RunReferenceOp(graph_, op, op_inputs_, outputs_[k]);
    const auto start = std::chrono::steady_clock::now();
    MCPRUNER_RETURN_IF_ERROR(RunReferenceOp(graph_, op, op_inputs_, outputs_[k]));
    const auto elapsed = std::chrono::steady_clock::now() - start;
    profile_[k].runs += 1;
    profile_[k].nanoseconds += std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count();
    return Status::Ok();
  }

  const Graph graph_;
  std::vector<float> arena_;
  std::vector<const float*> pointers_;   // of each tensor
  std::vector<float*> outputs_;          // of each op
  std::vector<const float*> op_inputs_;  // of the op that runs; a member so that Run allocates nothing
  bool profiling_ = false;
  std::vector<OpProfile> profile_;
  int64_t weight_bytes_ = 0;
};

class ReferenceBackend : public Backend {
 public:
  Result<std::unique_ptr<Executable>> Compile(const Graph& graph) override {
    return std::unique_ptr<Executable>(std::make_unique<ReferenceExecutable>(graph));
  }
};

}  // namespace

std::unique_ptr<Backend> CreateReferenceBackend() { return std::make_unique<ReferenceBackend>(); }

}  // namespace mcpruner
