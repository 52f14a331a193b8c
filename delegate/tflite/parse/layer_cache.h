// The LayerCache keeps the layers of a model across resizes.
//
// A runtime may throw a partition away and build it again when an input is resized. Reading and packing weights again
// would cost seconds, so layers are kept by content (a 128-bit hash of the bytes they come from, with their shape), and
// backends keep their packed form by layer. Pointers into the file would not do as keys: an address can come back with
// another model behind it.

#ifndef MCPRUNER_DELEGATE_TFLITE_PARSE_LAYER_CACHE_H_
#define MCPRUNER_DELEGATE_TFLITE_PARSE_LAYER_CACHE_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "delegate/graph/weights/grouping.h"
#include "delegate/graph/weights/narrow_values.h"
#include "delegate/graph/weights/nonzero_bits.h"
#include "delegate/graph/weights/sparse_layer.h"

namespace mcpruner {

class LayerCache {
 public:
  using LayerPtr = std::shared_ptr<const SparseLayer>;

  Result<LayerPtr> FromBlob(Span<const uint8_t> blob);
  Result<LayerPtr> FromDense(LayerKind kind, const DenseShape& shape, Span<const float> weights, Span<const float> bias,
                             int group_size);

  // The same for a convolution whose zeros are left out (graph/weights/nonzeros.h). `permutation` says which filter
  // each of `weights` is, as that of a SparseLayer does; an empty one is the identity.
  Result<LayerPtr> FromNonzeros(const DenseShape& shape, Span<const float> weights, Span<const float> bias,
                                int group_size, const std::vector<uint16_t>& permutation = {});

  // The same for a grouped convolution (graph/weights/grouped_layer.h), whose filters read shape.in_channels channels.
  Result<LayerPtr> FromGroups(const DenseShape& shape, int groups, Span<const float> weights, Span<const float> bias,
                              int group_size);

  // The same for weights that are packed (graph/weights/pack_layer.h), those of a convolution of `groups` groups too. A
  // fully-connected layer keeps its values as `stored` says.
  Result<LayerPtr> FromGrouping(LayerKind kind, const NonzeroBits& bits, Span<const float> weights,
                                Span<const float> bias, const Grouping& grouping, int groups = 1,
                                const StoredAs& stored = {});

  // Lets go of layers that nobody else holds.
  void DropUnused();
  size_t size() const;

 private:
  using Key = std::array<uint64_t, 4>;
  Result<LayerPtr> GetOrMake(const Key& key, const std::function<Result<SparseLayer>()>& make);

  mutable std::mutex mutex_;
  std::map<Key, LayerPtr> layers_;
};

}  // namespace mcpruner

#endif  // MCPRUNER_DELEGATE_TFLITE_PARSE_LAYER_CACHE_H_
