// Windows of convolutions reach over the sides of their input; a backend keeps as many zeros around it.
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

// Returns how many rows and columns a convolution, depthwise or not, reads beyond each side of `in` to make `out`. All
// other ops read no zeros: pools clip their windows.
Padding2D ConvReach(const Op& op, const Shape& in, const Shape& out);

// Returns what two readers of one tensor need together.
Padding2D Union(const Padding2D& a, const Padding2D& b);

// Returns the largest of the four.
int WidestSide(const Padding2D& border);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_WINDOW_REACH_H_
