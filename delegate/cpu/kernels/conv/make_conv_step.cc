#include "delegate/cpu/kernels/conv/make_conv_step.h"

#include "delegate/cpu/kernels/conv/conv_step.h"
#include "delegate/cpu/kernels/fully_connected/fully_connected_step.h"
#include "delegate/cpu/kernels/winograd/winograd_step.h"

namespace mcpruner {
namespace {

std::unique_ptr<Step> MakePixelOrDirectConvStep(const StepContext& context) {
  if (std::unique_ptr<Step> step = MakePixelConvStep(context)) return step;
  return MakeDirectConvStep(context);
}

}  // namespace

std::unique_ptr<Step> MakeConvStep(const StepContext& context) {
  if (std::unique_ptr<Step> step = MakeWinogradConvStep(context, &MakePixelOrDirectConvStep)) return step;
  return MakePixelOrDirectConvStep(context);
}

}  // namespace mcpruner
