// These run single node plans, for tests that compare what they compute with loops over TFLite's dimensions.

#ifndef MCPRUNER_DELEGATE_TFLITE_LOWER_TESTING_RUN_NODE_H_
#define MCPRUNER_DELEGATE_TFLITE_LOWER_TESTING_RUN_NODE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "delegate/tflite/parse/node_plan.h"

namespace mcpruner {

// Returns the number of elements.
int64_t Count(const Dims& dims);

// Returns first, first + 1, ...
std::vector<float> Iota(const Dims& dims, float first);

struct Output {
  Dims dims;
  std::vector<float> values;
  std::string error;
};

// Runs one node over computed inputs 0, 1, ... of these sizes, on both backends. Input i is Iota(dims, 100 * i).
Output RunNode(NodePlan plan, const std::vector<Dims>& inputs);

NodePlan Plan(OpType type);

// Calls f(position) for each position of a tensor, the last dimension fastest.
void ForEach(const Dims& dims, const std::function<void(const Dims&)>& f);

// Returns where a position of the output stands in an operand that is aligned at its last dimension and may repeat.
size_t Offset(const Dims& dims, const Dims& at);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_LOWER_TESTING_RUN_NODE_H_
