// A fused activation as kernels apply it: a clamp.

#ifndef MCPRUNER_DELEGATE_CPU_STEP_ACTIVATION_RANGE_H_
#define MCPRUNER_DELEGATE_CPU_STEP_ACTIVATION_RANGE_H_

#include <limits>

#include "delegate/graph/graph.h"

namespace mcpruner {

struct ActivationRange {
  bool clamp = false;  // false: nothing to do
  float low = 0.0f, high = 0.0f;
};

inline ActivationRange RangeOf(Activation activation) {
  switch (activation) {
    case Activation::kNone:
      break;
    case Activation::kRelu:
      return {true, 0.0f, std::numeric_limits<float>::infinity()};
    case Activation::kReluN1To1:
      return {true, -1.0f, 1.0f};
    case Activation::kRelu6:
      return {true, 0.0f, 6.0f};
  }
  return {};
}

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_CPU_STEP_ACTIVATION_RANGE_H_
