// These are the arguments of the mean over H and W of some channels of one image.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_MEAN_MEAN_ARGS_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_MEAN_MEAN_ARGS_H_

#include <stddef.h>
#include <stdint.h>

namespace mcpruner {

struct MeanChannelsArgs {
  const float* in;  // pixel (0, 0) of the first channel
  float* out;       // the first channel's result
  ptrdiff_t in_row_stride, in_pitch, out_pitch;
  int32_t channels, rows, width;
  int32_t zeros_before, zeros_behind;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_MEAN_MEAN_ARGS_H_
