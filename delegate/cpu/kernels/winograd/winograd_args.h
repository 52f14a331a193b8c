// These are the arguments of RowTransform, which makes rows of an image as sums of other rows, for all channels alike.
//
//     out row r  =  bias[c] + sum over terms of factor * in row
//
// It is both transforms of a Winograd convolution along rows (row_winograd.h).

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_WINOGRAD_WINOGRAD_ARGS_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_WINOGRAD_WINOGRAD_ARGS_H_

#include <stddef.h>
#include <stdint.h>

#include "delegate/cpu/kernels/row_args.h"

namespace mcpruner {

struct RowTransformTerm {
  ptrdiff_t in;  // where the input row's channel 0 lies, in bytes from RowTransformArgs::in
  float factor;
};

// The micro-kernel reads up to a vector of floats behind each input row.
struct RowTransformArgs {
  const float* in;
  ptrdiff_t in_pitch;             // from one channel to the next
  const RowTransformTerm* terms;  // those of all output rows in turn
  const int32_t* term_begin;      // where each output row's terms begin, and one past the last term
  int32_t out_rows;
  float* out;  // pixel 0 of channel 0 of the first row
  ptrdiff_t out_row_stride, out_pitch;
  int32_t channels, width;
  const float* bias;  // of each channel; null for none
  RowEnd end;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_WINOGRAD_WINOGRAD_ARGS_H_
