#include "delegate/graph/testing/faulty_backend.h"

#include <utility>
#include <vector>

namespace mcpruner {
namespace {

class FaultyExecutable : public Executable {
 public:
  FaultyExecutable(std::unique_ptr<Executable> good, std::function<Status(Span<float* const>)> fault)
      : good_(std::move(good)), fault_(std::move(fault)) {}

  Status Run(Span<const float* const> inputs, Span<float* const> outputs) override {
    MCPRUNER_RETURN_IF_ERROR(good_->Run(inputs, outputs));
    return fault_(outputs);
  }
  void SetProfiling(bool enabled) override { good_->SetProfiling(enabled); }
  std::vector<OpProfile> Profile() const override { return good_->Profile(); }
  Status FillMemory(float value) override { return good_->FillMemory(value); }
  int64_t ArenaBytes() const override { return good_->ArenaBytes(); }
  int64_t WeightBytes() const override { return good_->WeightBytes(); }

 private:
  const std::unique_ptr<Executable> good_;
  const std::function<Status(Span<float* const>)> fault_;
};

}  // namespace

FaultyBackend::FaultyBackend(std::unique_ptr<Backend> good, BackendFaults faults)
    : good_(std::move(good)), faults_(std::move(faults)) {}

Result<std::unique_ptr<Executable>> FaultyBackend::Compile(const Graph& graph) {
  if (faults_.compile != nullptr) MCPRUNER_RETURN_IF_ERROR(faults_.compile());
  auto executable = good_->Compile(graph);
  if (!executable.ok() || faults_.run == nullptr) return executable;
  return std::unique_ptr<Executable>(std::make_unique<FaultyExecutable>(std::move(*executable), faults_.run));
}

}  // namespace mcpruner
