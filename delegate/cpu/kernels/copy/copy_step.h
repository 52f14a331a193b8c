// Steps that move rows derive from CopyStep: concat, pad, slice, transpose.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_COPY_COPY_STEP_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_COPY_COPY_STEP_H_

#include "delegate/cpu/kernels/copy/copy_args.h"
#include "delegate/cpu/kernels/row_step.h"

namespace mcpruner {

class CopyStep : public RowStep {
 protected:
  using RowStep::RowStep;

  // Copies a row of `channels` channels that begin every `in_pitch` floats to neighbouring channels of the output, the
  // first of which begins at `to`, with the zeros that belong beside it.
  void CopyChannels(const float* from, ptrdiff_t in_pitch, int channels, float* to) const;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_COPY_COPY_STEP_H_
