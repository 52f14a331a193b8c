// These are the arguments of max and average pooling, one output row of all channels at a time.
//
//     1. down:    column[x] = reduce(rows)            for each pixel of the input row, whole vectors
//     2. across:  out[x] = reduce(column[x * stride .. + filter_width))
//
// A few channels have their columns made before the first of them is read: a load that meets a store which is still on
// its way has to wait.
//
// Columns are scratch with room for the padding on both sides. Who calls fills them with what changes nothing, -inf for
// max and 0 for averages, once for many rows: the padding is as it was after each of them.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_POOL_POOL_ARGS_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_POOL_POOL_ARGS_H_

#include <stddef.h>
#include <stdint.h>

#include "delegate/cpu/kernels/row_args.h"

namespace mcpruner {

constexpr int kPoolColumns = 8;

struct PoolRowArgs {
  const float* in;  // pixel 0 of channel 0 in the first row of the window that lies inside the image
  float* out;       // pixel 0 of channel 0
  ptrdiff_t in_row_stride, in_pitch, out_pitch;
  int32_t rows;  // those rows of the window that lie inside the image, at least 1
  int32_t channels, in_width, out_width;
  int32_t filter_width, stride_w, pad_left;
  float* columns;       // kPoolColumns of them
  int32_t column_size;  // pad_left + in_width + what the last window reaches over + two vectors
  const float* counts;  // null for max; for averages, pixels of each output's window in one row, and a vector more
  RowEnd end;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_POOL_POOL_ARGS_H_
