#include "delegate/tflite/run/preview.h"

#include <map>
#include <utility>

#include "delegate/tflite/abi/int_array.h"

namespace mcpruner {

std::optional<std::vector<Candidate>> AskForPartitions(TfLiteContext* context, const std::vector<NodeReport>& rows) {
  std::map<int, size_t> row_of;
  std::vector<int> taken;
  for (size_t i = 0; i < rows.size(); ++i) {
    row_of[rows[i].node] = i;
    if (rows[i].taken) taken.push_back(rows[i].node);
  }
  if (taken.empty()) return std::vector<Candidate>();
  const IntArrayPtr array = MakeIntArray(taken);
  TfLiteDelegateParams* params = nullptr;
  int count = 0;
  if (array == nullptr || context->PreviewDelegatePartitioning == nullptr ||
      context->PreviewDelegatePartitioning(context, array.get(), &params, &count) != kTfLiteOk || params == nullptr) {
    return std::nullopt;
  }
  std::vector<Candidate> candidates(static_cast<size_t>(count));
  for (size_t i = 0; i < candidates.size(); ++i) {
    for (const int node : IntArrayView(params[i].nodes_to_replace)) {
      if (row_of.count(node) > 0) candidates[i].rows.insert(row_of[node]);
    }
    candidates[i].outputs = IntArrayVector(params[i].output_tensors);
  }
  return candidates;
}

std::vector<Candidate> PreviewPartitions(TfLiteContext* context, const std::vector<NodeReport>& rows) {
  std::optional<std::vector<Candidate>> candidates = AskForPartitions(context, rows);
  if (candidates) return std::move(*candidates);
  Candidate all;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].taken) all.rows.insert(i);
  }
  return {all};
}

}  // namespace mcpruner
