// A PartitionKey is a partition's name for what was measured of it: a hash of all that its time depends on, but for the
// machine.
//
//     operators, in execution order    name, version, parameters, group size where it was packed at load
//     tensors, where they first occur  type, sizes, and the bytes of a constant
//     edges                            which tensors the rest of the model or the caller reads
//
// A delegate knows neither the file nor the number of the subgraph, and needs neither. Tensors are numbered as they
// occur, so a file that was written again, with its tensors and constants in another order or under other names, has
// the same keys.

#ifndef MCPRUNER_DELEGATE_TFLITE_PARSE_PARTITION_KEY_H_
#define MCPRUNER_DELEGATE_TFLITE_PARSE_PARTITION_KEY_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "delegate/tflite/parse/model_view.h"

namespace mcpruner {

using PartitionKey = std::array<uint64_t, 2>;

// Returns the key of some nodes. `outputs` are the tensors that others than these nodes read.
PartitionKey KeyOf(const ModelView& view, const std::vector<NodeRef>& nodes, const std::vector<int>& outputs);

// Returns 32 hexadecimal digits.
std::string KeyText(const PartitionKey& key);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_PARSE_PARTITION_KEY_H_
