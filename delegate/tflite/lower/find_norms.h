// FindNormalizations finds layer, group and instance normalizations among node plans.
//
// TensorFlow's converter writes one as about ten operators, in several ways:
//
//     mean = MEAN(x)                                     y = (x - mean) * factor * scale + shift
//     variance = MEAN(SQUARED_DIFFERENCE(x, mean))   or  y = x * (factor * scale) + (-mean * (factor * scale) + shift)
//     factor = RSQRT(variance + epsilon)             or  y = (x - mean) / SQRT(variance + epsilon)
//
// So it goes by algebra: each tensor that follows from x and its mean is a term, such as -mean * factor * scale, and a
// normalization is where the terms make (x - mean) * factor. All that depends on sizes waits for lower_norm.cc.

#ifndef MCPRUNER_DELEGATE_TFLITE_LOWER_FIND_NORMS_H_
#define MCPRUNER_DELEGATE_TFLITE_LOWER_FIND_NORMS_H_

#include <cstddef>
#include <vector>

#include "delegate/tflite/parse/node_plan.h"

namespace mcpruner {

struct Normalization {
  Operand x;
  Dims axes;  // over which mean and variance are taken, as TFLite has them
  float epsilon = 0.0f;
  const Operand* scale = nullptr;  // a constant, or null; part of the plans
  const Operand* shift = nullptr;  // a constant, or null
  std::vector<size_t> plans;       // that it stands for, in order; the last one makes its output
};

// Returns the normalizations whose inner tensors nobody else reads. `outputs` are TFLite's numbers of the tensors to
// deliver.
std::vector<Normalization> FindNormalizations(const std::vector<NodePlan>& plans, const std::vector<int>& outputs);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_LOWER_FIND_NORMS_H_
