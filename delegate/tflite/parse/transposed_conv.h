// A transposed convolution is run as an ordinary one of the same image, which makes a block of pixels of each pixel:
// the pixels of a block are channels until a DepthToSpace spreads them.
//
//     stride 2, one row of the output      | p0 p1 | p0 p1 | p0 p1 |      blocks of two phases
//     of the input                         |   a   |   b   |   c   |
//
// Each input element is multiplied by all weights and added to as many elements of the output, `stride` further for
// each input element. Seen from the output, an element of phase p is a sum over every stride-th weight: so each phase
// is an ordinary convolution with a slice of the kernel, and all phases together are one whose filters are the slices,
// with zeros where a phase has no weight. Zeros are left out when the layer is packed (graph/weights/nonzeros.h).

#ifndef MCPRUNER_DELEGATE_TFLITE_PARSE_TRANSPOSED_CONV_H_
#define MCPRUNER_DELEGATE_TFLITE_PARSE_TRANSPOSED_CONV_H_

#include <vector>

#include "delegate/base/span.h"
#include "delegate/base/status.h"
#include "delegate/graph/weights/sparse_layer.h"

namespace mcpruner {

// A TransposedAxis is one axis, rows or columns. Output element block * stride + phase is the sum of what input
// elements block + first + tap, 0 <= tap < taps, contribute.
struct TransposedAxis {
  int in = 0, out = 0;  // elements; TFLite runs no other number of input elements
  int kernel = 0, stride = 0;
  int before = 0;  // output elements that SAME cuts off before the first one
  int first = 0, taps = 0;
  int blocks = 0;  // the last one may be cut off

  // Returns which weight tap `tap` of a phase is, or -1 if it is none.
  int WeightAt(int phase, int tap) const;
  // Return the zeros that the convolution reads around the input.
  int PaddingBefore() const { return -first; }
  int PaddingAfter() const { return first + taps - 1 + blocks - in; }
};

// The error is that of sizes which TFLite does not run either.
Result<TransposedAxis> MakeTransposedAxis(int out, int kernel, int stride, bool same);

// Returns the filters of the convolution, OHWI with rows.taps x columns.taps positions: filter
// (row phase * columns.stride + column phase) * filters + f. `weights` is [filters, rows.kernel, columns.kernel,
// channels]. The error is that of a layer which is too large.
Result<std::vector<float>> PhaseFilters(Span<const float> weights, int filters, int channels,
                                        const TransposedAxis& rows, const TransposedAxis& columns);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_PARSE_TRANSPOSED_CONV_H_
