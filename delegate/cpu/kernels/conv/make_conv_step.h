// MakeConvStep makes the step of a convolution in whichever way suits it:
//
//     a 1x1 kernel on 1x1 images       a fully-connected layer         fully_connected/fully_connected_step.h
//     dense, where it saves time       fewer products along rows       winograd/winograd_step.h
//     everything else                  directly, tap by tap            conv_step.h

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_CONV_MAKE_CONV_STEP_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_CONV_MAKE_CONV_STEP_H_

#include <memory>

#include "delegate/cpu/step/step.h"

namespace mcpruner {

// Returns null where the window is out of proportion (MakeDirectConvStep).
std::unique_ptr<Step> MakeConvStep(const StepContext& context);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_CONV_MAKE_CONV_STEP_H_
