// Legalize brings a graph into the form that the steps take: a fully-connected layer reads one row from each image.
//
//     x [2, 3, 3, 4] -> FullyConnected (in_channels 4, 18 rows)     x -> Reshape [18, 1, 1, 4] -> FullyConnected

#ifndef MCPRUNER_DELEGATE_OPENCL_PLAN_LEGALIZE_H_
#define MCPRUNER_DELEGATE_OPENCL_PLAN_LEGALIZE_H_

#include "delegate/graph/graph.h"

namespace mcpruner::opencl {

// `graph` must be valid, and stays so.
void Legalize(Graph* graph);

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_PLAN_LEGALIZE_H_
