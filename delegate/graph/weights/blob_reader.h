// This is the one reader of the sparse-pattern format. format/sparse_pattern.fbs states every rule that it checks.

#ifndef MCPRUNER_DELEGATE_GRAPH_WEIGHTS_BLOB_READER_H_
#define MCPRUNER_DELEGATE_GRAPH_WEIGHTS_BLOB_READER_H_

#include <cstdint>

#include "delegate/base/span.h"
#include "delegate/base/status.h"
#include "delegate/graph/weights/sparse_layer.h"

namespace mcpruner {

// Reads an MCP1 blob. Any byte string is safe to pass: the flatbuffer is verified first, then its meaning. The blob
// need not be aligned. The error says which statement of the schema does not hold, or what is sound but not run yet
// (int8 tensors). Units and groups of version 2 are taken apart (units.h).
Result<SparseLayer> ReadSparseLayer(Span<const uint8_t> blob);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_WEIGHTS_BLOB_READER_H_
