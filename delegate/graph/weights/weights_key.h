// WeightsKey is the key by which a plan finds its weights again. format/model_plan.fbs says what it is made of, and
// converter/format/weights_key.py makes the same.
//
//     weights as float32 -- XXH64 of each 1024 bytes -- of each 1024 bytes of these -- ... -- XXH64 --+
//     shape O, H, W, I -------------------------------------------------------------------------------+-- XXH64 -- key

#ifndef MCPRUNER_DELEGATE_GRAPH_WEIGHTS_WEIGHTS_KEY_H_
#define MCPRUNER_DELEGATE_GRAPH_WEIGHTS_WEIGHTS_KEY_H_

#include <cstddef>
#include <cstdint>

#include "delegate/base/span.h"
#include "delegate/graph/weights/sparse_layer.h"

namespace mcpruner {

uint64_t WeightsKey(const DenseShape& shape, Span<const float> weights);

// Returns XXH64 of xxHash with seed 0.
uint64_t Xxh64(const void* data, size_t bytes);

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_GRAPH_WEIGHTS_WEIGHTS_KEY_H_
