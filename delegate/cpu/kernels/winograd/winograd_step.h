// Dense convolutions with fewer products (row_winograd.h), a few tiles of output rows at a time:
//
//     input rows --RowTransform--> V [tile][product][in channel]  --sparse convolution--> M [tile][product][filter]
//                                                                  --RowTransform--> output rows
//
// V and M are scratch that stays in L2. The convolution between them is a ConvStep like any other.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_WINOGRAD_WINOGRAD_STEP_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_WINOGRAD_WINOGRAD_STEP_H_

#include <memory>

#include "delegate/cpu/step/step.h"

namespace mcpruner {

// A convolution: along this way where it saves time, else as a ConvStep; null where neither can do it.
std::unique_ptr<Step> MakeDenseOrSparseConvStep(const StepContext& context);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_WINOGRAD_WINOGRAD_STEP_H_
