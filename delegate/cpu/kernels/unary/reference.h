// This defines functions of one element, among them the activations that other ops apply to their results.
//
//     Relu max(x, 0)   ReluN1To1 clamp(x, -1, 1)   Relu6 clamp(x, 0, 6)
//     HardSwish x * clamp(x + 3, 0, 6) / 6         Logistic 1 / (1 + exp(-x))     (both in double, rounded once)

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_UNARY_REFERENCE_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_UNARY_REFERENCE_H_

#include "delegate/graph/graph.h"

namespace mcpruner {

// y may be x.
void UnaryReference(UnaryFunction function, int64_t size, const float* x, float* y);

// The activation is applied in place.
void ActivationReference(Activation activation, int64_t size, float* y);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_UNARY_REFERENCE_H_
