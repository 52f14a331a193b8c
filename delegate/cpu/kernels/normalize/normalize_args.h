// These are the arguments of normalizations.
//
// A group is `group` neighbouring channels. NormalizePixels finds mean and variance of each pixel of a row; then all
// channels are one group or several. NormalizeMap finds those of a map of `rows` rows, of `groups` groups from `in` on.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_NORMALIZE_NORMALIZE_ARGS_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_NORMALIZE_NORMALIZE_ARGS_H_

#include <stddef.h>
#include <stdint.h>

#include "delegate/cpu/kernels/row_args.h"

namespace mcpruner {

struct NormalizeArgs {
  const float* in;  // pixel (0, 0) of the first channel
  float* out;
  const float *scale, *shift;  // of the first channel
  ptrdiff_t in_row_stride, out_row_stride;
  ptrdiff_t in_pitch, out_pitch, scale_pitch, shift_pitch;
  int32_t group, groups, rows, width;
  float epsilon;
  RowEnd end;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_NORMALIZE_NORMALIZE_ARGS_H_
