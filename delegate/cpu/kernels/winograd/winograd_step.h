// This step runs dense convolutions with fewer products (row_winograd.h), a few tiles of output rows at a time:
//
//     input rows --RowTransform--> V [tile][product][in channel]  --sparse convolution--> M [tile][product][filter]
//                                                                  --RowTransform--> output rows
//
// V and M are scratch that stays in L2. The convolution between them is one like any other: whoever asks for this step
// makes it.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_WINOGRAD_WINOGRAD_STEP_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_WINOGRAD_WINOGRAD_STEP_H_

#include <memory>

#include "delegate/cpu/step/step.h"

namespace mcpruner {

// Returns null where it would save no time, and where `make_products` cannot make the convolution between V and M.
std::unique_ptr<Step> MakeWinogradConvStep(const StepContext& context, MakeStepFunction make_products);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_WINOGRAD_WINOGRAD_STEP_H_
