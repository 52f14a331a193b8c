// WithoutZeros leaves out of a layer the zeros that no filter of a group needs.
//
//     one kernel of a group of two filters   1 0 2     pattern 0b101, values (1, 3) (2, 0)
//                                            3 0 0     a zero beside another filter's weight stays

#ifndef MCPRUNER_DELEGATE_GRAPH_WEIGHTS_NONZEROS_H_
#define MCPRUNER_DELEGATE_GRAPH_WEIGHTS_NONZEROS_H_

#include "delegate/graph/weights/sparse_layer.h"

namespace mcpruner {

// Returns the same weights. `layer` must keep its values as float32. Where it would have more patterns than the format
// allows, it is returned as it is.
SparseLayer WithoutZeros(SparseLayer layer);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_WEIGHTS_NONZEROS_H_
