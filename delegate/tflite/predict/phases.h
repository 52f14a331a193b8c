// Of a transposed convolution: each pixel of the input becomes phases x phases pixels of the output, and each of those
// is made with weights of its own.
//
//     a 4x4 kernel of stride 2, its weights numbered by phase     0 1 0 1
//                                                                 2 3 2 3
//                                                                 0 1 0 1
//                                                                 2 3 2 3

#ifndef MCPRUNER_DELEGATE_TFLITE_PREDICT_PHASES_H_
#define MCPRUNER_DELEGATE_TFLITE_PREDICT_PHASES_H_

#include <cstdint>

namespace mcpruner {

// Returns how many phases have weights of a pattern: 1 at most where `phases` is 1, as of other layers.
int PhasesOf(uint64_t pattern, int kernel_height, int kernel_width, int phases);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_PREDICT_PHASES_H_
