// A ResizeAxis says from which elements of an axis a resize makes each element of its output: all of TFLite's index
// arithmetic for RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR, in float32 as TFLite has it.
//
// Rows and columns are resized alike, one axis at a time. With `scale` input elements for each element of the output,
// element i lies at
//
//     i * scale                     as it is
//     (i + 0.5) * scale - 0.5       half_pixel_centers: elements are squares, of which the middles are compared
//
// of the input. `scale` is in / out, or with align_corners (in - 1) / (out - 1), so that the last elements coincide.
// Bilinear takes the elements on both sides, each with a share; nearest takes one of them.

#ifndef MCPRUNER_DELEGATE_GRAPH_RESIZE_AXIS_H_
#define MCPRUNER_DELEGATE_GRAPH_RESIZE_AXIS_H_

#include "delegate/graph/graph.h"

namespace mcpruner {

// The result is x[lower] + (x[lower + 1] - x[lower]) * share. Where share is 0, there may be no element lower + 1, and
// it is not looked at: it may be NaN.
struct ResizeSource {
  int lower;
  float share;
};

class ResizeAxis {
 public:
  // `type` is kResizeBilinear or kResizeNearest; `in` and `out` are at least 1.
  ResizeAxis(OpType type, const ResizeParams& params, int in, int out);

  // Returns what element i of the output, 0 <= i < out, is made of. `lower` does not fall as i rises.
  ResizeSource At(int i) const;

 private:
  int Nearest(float i) const;

  bool nearest_, align_corners_, half_pixel_centers_;
  int last_;  // of the input
  float scale_;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_RESIZE_AXIS_H_
