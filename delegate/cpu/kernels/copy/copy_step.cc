#include "delegate/cpu/kernels/copy/copy_step.h"

namespace mcpruner {

void CopyStep::CopyChannels(const float* from, ptrdiff_t in_pitch, int channels, float* to) const {
  CopyRowArgs args{};
  args.in = from;
  args.out = to;
  args.in_pitch = in_pitch;
  args.out_pitch = output().layout.pitch;
  args.channels = channels;
  args.width = output().layout.w;
  args.end = End();
  micro_kernels().CopyRow(args);
}

}  // namespace mcpruner
