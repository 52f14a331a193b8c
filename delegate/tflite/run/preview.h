// These ask a runtime which partitions it would make of the nodes that are taken so far.

#ifndef MCPRUNER_DELEGATE_TFLITE_RUN_PREVIEW_H_
#define MCPRUNER_DELEGATE_TFLITE_RUN_PREVIEW_H_

#include <optional>
#include <set>
#include <vector>

#include "delegate/tflite/abi/tflite_abi.h"
#include "delegate/tflite/report/report.h"

namespace mcpruner {

struct Candidate {
  std::set<size_t> rows;
  std::vector<int> outputs;  // tensors: what other nodes read, and what the caller does
};

// Returns nothing where the runtime cannot tell; PreviewPartitions then returns all nodes as one partition, without
// outputs.
std::optional<std::vector<Candidate>> AskForPartitions(TfLiteContext* context, const std::vector<NodeReport>& rows);
std::vector<Candidate> PreviewPartitions(TfLiteContext* context, const std::vector<NodeReport>& rows);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_RUN_PREVIEW_H_
