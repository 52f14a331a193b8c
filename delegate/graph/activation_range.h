// Every backend applies a fused activation as this range says: it is a clamp to low .. high, which NaN passes.
//
// This is the one place that says which range an activation has, and which functions of one element are activations.

#ifndef MCPRUNER_DELEGATE_GRAPH_ACTIVATION_RANGE_H_
#define MCPRUNER_DELEGATE_GRAPH_ACTIVATION_RANGE_H_

#include <limits>

#include "delegate/graph/graph.h"

namespace mcpruner {

struct ActivationRange {
  bool clamp = false;  // false: there is nothing to do, and the range is that of all numbers
  float low = -std::numeric_limits<float>::infinity(), high = std::numeric_limits<float>::infinity();
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

// Returns the activation that does what the function does, kNone where the function is no clamp.
inline Activation ActivationOf(UnaryFunction function) {
  switch (function) {
    case UnaryFunction::kRelu:
      return Activation::kRelu;
    case UnaryFunction::kReluN1To1:
      return Activation::kReluN1To1;
    case UnaryFunction::kRelu6:
      return Activation::kRelu6;
    default:
      return Activation::kNone;
  }
}

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_ACTIVATION_RANGE_H_
