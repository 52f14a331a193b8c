// This defines functions of one element, among them the activations that other ops apply to their results. What each
// one is called after is said in delegate/graph/unary_functions.inc; all are computed in double and rounded once.

#ifndef MCPRUNER_DELEGATE_CPU_KERNELS_UNARY_REFERENCE_H_
#define MCPRUNER_DELEGATE_CPU_KERNELS_UNARY_REFERENCE_H_

#include "delegate/graph/graph.h"

namespace mcpruner {

// y may be x.
void UnaryReference(const UnaryParams& params, int64_t size, const float* x, float* y);

// The activation is applied in place.
void ActivationReference(Activation activation, int64_t size, float* y);

// So is an epilogue, on `size` elements in NHWC.
void EpilogueReference(const Epilogue& epilogue, int channels, int64_t size, float* y);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_KERNELS_UNARY_REFERENCE_H_
