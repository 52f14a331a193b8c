#include "delegate/graph/backend.h"

#include <string>

namespace mcpruner {

Status CheckEnds(const Graph& graph, size_t num_inputs, size_t num_outputs) {
  if (num_inputs == graph.inputs.size() && num_outputs == graph.outputs.size()) return Status::Ok();
  return Status::Error("expected " + std::to_string(graph.inputs.size()) + " inputs and " +
                       std::to_string(graph.outputs.size()) + " outputs, got " + std::to_string(num_inputs) + " and " +
                       std::to_string(num_outputs));
}

}  // namespace mcpruner
