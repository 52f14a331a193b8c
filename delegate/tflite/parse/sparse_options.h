// These are the custom options of the project's own operators: what surrounds the weights.
//
// Table SparseOptions in format/sparse_pattern.fbs says what they mean and which two forms they have; this is the one
// place that reads them.

#ifndef MCPRUNER_DELEGATE_TFLITE_PARSE_SPARSE_OPTIONS_H_
#define MCPRUNER_DELEGATE_TFLITE_PARSE_SPARSE_OPTIONS_H_

#include <cstdint>

#include "delegate/base/span.h"
#include "delegate/base/status.h"
#include "delegate/graph/graph.h"

namespace mcpruner {

struct SparseOptions {
  Window window;              // its padding is zero when same_padding
  bool same_padding = false;  // to be resolved with the input's size
  Activation activation = Activation::kNone;
  bool keep_num_dims = false;
  int output_height = 0, output_width = 0;  // of a transposed convolution
  int groups = 1;                           // that the convolution had; nothing but a prediction needs them
};

// Any byte string is safe to pass. The error says what is wrong with the options.
Result<SparseOptions> ReadSparseOptions(Span<const uint8_t> bytes);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_PARSE_SPARSE_OPTIONS_H_
