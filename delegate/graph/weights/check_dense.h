// These check what dense weights are made into a SparseLayer by. Each error is one sentence.

#ifndef MCPRUNER_DELEGATE_GRAPH_WEIGHTS_CHECK_DENSE_H_
#define MCPRUNER_DELEGATE_GRAPH_WEIGHTS_CHECK_DENSE_H_

#include <cstddef>
#include <string>

#include "delegate/base/span.h"
#include "delegate/base/status.h"
#include "delegate/graph/weights/sparse_layer.h"

namespace mcpruner {

// Checks that the format holds a layer of this shape, and that it has so many weights.
Status CheckDense(const DenseShape& shape, size_t num_weights);
// Checks that there is a finite bias for each filter, or none at all.
Status CheckBias(Span<const float> bias, int filters);
Status CheckGroupSize(int group_size);
// Returns the error of a layer whose weights, or whatever `what` names, hold NaN or infinity.
Status NotFinite(const std::string& what);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_WEIGHTS_CHECK_DENSE_H_
