// These are the arguments of a resize, one output row of all channels at a time.
//
//     1. down:    column[x] = upper[x] + (lower[x] - upper[x]) * share          not where one row is read
//     2. across:  a vector of outputs is made of one vector of inputs, whose lanes are shuffled
//
//     inputs   | a b c d e f g h |            begin[v] is where the vector of inputs begins, pick[x] is a lane of it
//               / |  |\ |\ ...
//     outputs  | a a b b c c d d |            nearest, twice as many columns: pick = 0 0 1 1 2 2 3 3
//
// A blend across takes two such vectors, of which the second begins one column later. Where a vector of outputs is made
// of inputs that lie farther apart than a vector is long, `pick` counts from the row's begin, and inputs are gathered.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_RESIZE_RESIZE_ARGS_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_RESIZE_RESIZE_ARGS_H_

#include <stddef.h>
#include <stdint.h>

#include "delegate/cpu/kernels/row_args.h"

namespace mcpruner {

struct ResizeRowArgs {
  const float* row;    // pixel 0 of channel 0 in the first row that is read
  const float* below;  // the same in the second one, or null where one row is read
  float below_share;   // of the second row
  float* out;          // pixel 0 of channel 0
  ptrdiff_t in_pitch, out_pitch;
  int32_t channels, in_width, out_width;
  float* column;         // in_width + 2 vectors; used where two rows are read
  const int32_t* begin;  // of each vector of outputs; null: inputs are gathered
  const int32_t* pick;   // of each output, whole vectors
  const float* shares;   // of the second column, for each output, whole vectors; null: no output is a blend
  RowEnd end;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_RESIZE_RESIZE_ARGS_H_
