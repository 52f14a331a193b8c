// These are the arguments of DepthToSpace and SpaceToDepth, one image row of the flat side and all of its channels at a
// time. On the deep side the columns of a block are rows, `phase_step` floats apart, one for each phase:
//
//     deep, of one channel   phase 0  | a c e g |          flat   | a b c d e f g h |
//                            phase 1  | b d f h |

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_BLOCKS_BLOCKS_ARGS_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_BLOCKS_BLOCKS_ARGS_H_

#include <stddef.h>
#include <stdint.h>

#include "delegate/cpu/kernels/row_args.h"

namespace mcpruner {

struct BlocksRowArgs {
  const float* in;  // pixel 0 of channel 0, on the deep side of phase 0
  float* out;
  ptrdiff_t in_pitch, out_pitch;  // from channel to channel
  ptrdiff_t phase_step;
  int32_t channels;   // of the flat side
  int32_t phases;     // columns of a block
  int32_t out_width;  // of a row, or of one phase
  RowEnd end;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_BLOCKS_BLOCKS_ARGS_H_
