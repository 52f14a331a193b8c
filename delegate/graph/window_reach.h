// How far the windows of convolutions reach over the edges of their input: the zeros that a backend keeps around it.
//
//     kernel 3, padding 1 on all sides       left: 1, since the first window begins one column before the image
//     stride 2, 4 columns                    right: 0, since the last window ends with the last column
//       [0 a b]c d 0
//        0 a[b c d]0
//
// Padding that no window reads counts as nothing.

#ifndef MCPRUNER_DELEGATE_GRAPH_WINDOW_REACH_H_
#define MCPRUNER_DELEGATE_GRAPH_WINDOW_REACH_H_

#include "delegate/graph/graph.h"

namespace mcpruner {

// In rows and columns, of a convolution, depthwise or not, that makes `out` of `in`. All other ops read no zeros: pools
// clip their windows.
Padding2D ConvReach(const Op& op, const Shape& in, const Shape& out);

// What two readers of one tensor need together.
Padding2D Union(const Padding2D& a, const Padding2D& b);

// The largest of the four.
int WidestSide(const Padding2D& border);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_WINDOW_REACH_H_
