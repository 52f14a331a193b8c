#include "delegate/tflite/run/expanders.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "delegate/tflite/abi/int_array.h"

namespace mcpruner {

Expanders::Expanders(const ModelView& view, const std::vector<NodeRef>& nodes, const std::set<int>& computed,
                     const std::vector<NodeReport>& rows)
    : view_(view), nodes_(nodes), needed_(computed) {
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (ExpandsConstant(view, nodes[i]) && !IsAnothers(view, nodes[i])) expanders_.insert(i);
  }
  if (expanders_.empty()) return;
  // The outputs of a partition of all nodes are those of the model, of which a delegate is not told otherwise.
  std::vector<NodeReport> all = rows;
  for (NodeReport& row : all) row.taken = true;
  const std::optional<std::vector<Candidate>> whole = AskForPartitions(view.context, all);
  if (!whole) {
    expanders_.clear();
    return;
  }
  for (const Candidate& candidate : *whole) needed_.insert(candidate.outputs.begin(), candidate.outputs.end());
  if (PartitionsWith(rows).size() > PreviewPartitions(view.context, rows).size()) expanders_.clear();
}

std::vector<Candidate> Expanders::Partitions(const std::vector<NodeReport>& rows) const {
  return expanders_.empty() ? PreviewPartitions(view_.context, rows) : PartitionsWith(rows);
}

void Expanders::Claim(std::vector<NodeReport>* rows) const {
  if (expanders_.empty() || PartitionsWith(*rows).size() > PreviewPartitions(view_.context, *rows).size()) return;
  *rows = WithExpanders(std::move(*rows));
}

std::vector<NodeReport> Expanders::WithExpanders(std::vector<NodeReport> rows) const {
  if (std::none_of(rows.begin(), rows.end(), [](const NodeReport& row) { return row.taken; })) return rows;
  std::set<int> needed = needed_;
  // From the last node to the first one: a DENSIFY may stand in front of a DEQUANTIZE.
  for (size_t i = nodes_.size(); i-- > 0;) {
    if (expanders_.count(i) > 0 && needed.count(OutputIndex(nodes_[i], 0)) == 0) {
      rows[i].taken = true;
      rows[i].reason.clear();
    } else if (!rows[i].taken) {
      const Span<const int> inputs = IntArrayView(nodes_[i].node->inputs);
      needed.insert(inputs.begin(), inputs.end());
    }
  }
  return rows;
}

std::vector<Candidate> Expanders::PartitionsWith(const std::vector<NodeReport>& rows) const {
  std::vector<Candidate> partitions;
  for (Candidate& candidate : PreviewPartitions(view_.context, WithExpanders(rows))) {
    for (const size_t i : expanders_) candidate.rows.erase(i);
    if (!candidate.rows.empty()) partitions.push_back(std::move(candidate));
  }
  return partitions;
}

}  // namespace mcpruner
