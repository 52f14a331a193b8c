// A grouped convolution is an ordinary one whose filters read few channels: all their other weights are zero, and a
// SparseLayer stores no zeros.
//
//     two convolution groups, each of two filters and three channels      channels   0 1 2 3 4 5
//                                                             filters 0, 1           x x x . . .
//                                                             filters 2, 3           . . . x x x
//
// Where filters of two convolution groups share a filter group, its kernels hold zeros for the filters that do not read
// them.

#ifndef MCPRUNER_DELEGATE_GRAPH_WEIGHTS_GROUPED_LAYER_H_
#define MCPRUNER_DELEGATE_GRAPH_WEIGHTS_GROUPED_LAYER_H_

#include "delegate/graph/weights/sparse_layer.h"

namespace mcpruner {

// Returns the convolution of groups * layer.in_channels channels in which each of `groups` consecutive shares of the
// filters reads the same share of the channels. `layer` has the filters, and must keep its values as float32. The error
// is that of groups which do not divide the filters, or of too many channels.
Result<SparseLayer> InGroups(const SparseLayer& layer, int groups);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_WEIGHTS_GROUPED_LAYER_H_
