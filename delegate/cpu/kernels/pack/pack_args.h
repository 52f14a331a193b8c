// These are the arguments of the conversions between NHWC and HCW (delegate/cpu/step/layout.h), some image rows at a
// time, and of the transposes that they and others are.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_PACK_PACK_ARGS_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_PACK_PACK_ARGS_H_

#include <stddef.h>
#include <stdint.h>

namespace mcpruner {

// PackRows copies nhwc[(row * width + x) * channels + c] to hcw[row * row_stride + c * pitch + x] for `rows` rows, and
// writes zeros behind each row of each channel.
struct PackRowsArgs {
  const float* nhwc;
  float* hcw;  // pixel 0 of the first row and channel
  ptrdiff_t row_stride, pitch;
  int32_t rows, width, channels;
  int32_t zeros_behind;
};

// TransposePlanes copies from[plane * from_plane + i * from_stride + j] to to[plane * to_plane + j * to_stride + i],
// for all i < rows and j < columns of `planes` planes.
struct TransposePlanesArgs {
  const float* from;
  float* to;
  ptrdiff_t from_stride, to_stride;
  ptrdiff_t from_plane, to_plane;
  int32_t planes, rows, columns;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_PACK_PACK_ARGS_H_
