// This parses GATHER, whose indices are cut into runs of constant steps: each run is a slice.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "delegate/tflite/parse/parse_common.h"

namespace mcpruner {
namespace {

// Each run is a slice that is copied, and copied once more where the slices are joined. 64 of them are a shuffle of 128
// channels; more would take longer to start than TFLite takes to copy.
constexpr size_t kMostRuns = 64;

// Cuts indices, none of them negative, into runs, each as long as it can be.
std::vector<GatheredAxis::Run> RunsOf(const std::vector<int>& indices) {
  std::vector<GatheredAxis::Run> runs;
  for (size_t i = 0; i < indices.size();) {
    GatheredAxis::Run run{indices[i], 1, 1};
    size_t next = i + 1;
    if (next < indices.size() && indices[next] != indices[i]) run.stride = indices[next] - indices[i];
    while (next < indices.size() && indices[next] - indices[next - 1] == run.stride) ++next;
    run.count = static_cast<int>(next - i);
    runs.push_back(run);
    i = next;
  }
  return runs;
}

}  // namespace

Result<NodePlan> ParseGather(const ParseContext& c) {
  const auto* params = BuiltinParams<TfLiteGatherParams>(c.node);
  if (params == nullptr) return MissingParams();
  if (params->batch_dims != 0) return Status::Error("its indices differ from batch to batch");
  Result<NodePlan> plan = StartPlan(c, OpType::kStridedSlice);
  if (!plan.ok()) return plan;
  const Result<std::vector<int>> indices = ReadInts(c.view, InputIndex(c.node, 1), "its list of indices");
  if (!indices.ok()) return indices.status();
  const bool fits = std::all_of(indices->begin(), indices->end(), [](int index) { return index >= 0; });
  if (!fits || indices->empty()) return Status::Error("its list of indices is empty, or has a negative one");
  GatheredAxis gathered;
  gathered.axis = params->axis;
  gathered.runs = RunsOf(*indices);
  gathered.dims = TensorDims(*TensorAt(c.view.context, InputIndex(c.node, 1)));
  if (gathered.runs.size() > kMostRuns) {
    return Status::Error("its indices are " + std::to_string(gathered.runs.size()) +
                         " runs of equal steps; the delegate puts up to " + std::to_string(kMostRuns) + " together");
  }
  plan->deferred = std::move(gathered);
  return plan;
}

}  // namespace mcpruner
