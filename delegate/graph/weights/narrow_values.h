// StoreNarrow lets a fully-connected layer keep its values as float16 or int8, as the reader of a blob does.
//
// Such layers use each value once for an input, so their time is that of reading memory (sparse_layer.h). The values
// must be exactly what the narrow ones stand for: nothing is rounded here.

#ifndef MCPRUNER_DELEGATE_GRAPH_WEIGHTS_NARROW_VALUES_H_
#define MCPRUNER_DELEGATE_GRAPH_WEIGHTS_NARROW_VALUES_H_

#include <vector>

#include "delegate/base/status.h"
#include "delegate/graph/weights/sparse_layer.h"

namespace mcpruner {

struct StoredAs {
  ValueType type = ValueType::kFloat32;
  std::vector<float> scales;  // of int8, one for each packed filter
};

// `layer` must be fully-connected and have float32 values. It is unchanged after an error.
Status StoreNarrow(const StoredAs& stored, SparseLayer* layer);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_WEIGHTS_NARROW_VALUES_H_
