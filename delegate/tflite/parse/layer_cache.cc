#include "delegate/tflite/parse/layer_cache.h"

#include <utility>

#include "delegate/graph/weights/blob_reader.h"
#include "delegate/graph/weights/grouped_layer.h"
#include "delegate/graph/weights/nonzeros.h"
#include "delegate/graph/weights/pack_layer.h"
#include "delegate/tflite/parse/hasher.h"

namespace mcpruner {
namespace {

Hasher HashDense(const DenseShape& shape, Span<const float> weights, Span<const float> bias, int group_size) {
  Hasher hash;
  hash.Add(&shape, sizeof(shape));
  hash.Add(&group_size, sizeof(group_size));
  hash.Add(weights);
  hash.Add(bias);
  return hash;
}

// The last word of a key: 0 for a blob, 1 and above for dense layers of each kind, and the number of groups on top of
// the tag of grouped ones. Of packed ones it has the kind above the number of groups.
constexpr uint64_t kNonzerosTag = 100, kGroupsTag = 1000, kPackedTag = uint64_t{1} << 40;
constexpr int kKindShift = 32;

}  // namespace

Result<LayerCache::LayerPtr> LayerCache::FromBlob(Span<const uint8_t> blob) {
  Hasher hash;
  hash.Add(blob);
  return GetOrMake({hash.a(), hash.b(), blob.size(), 0}, [&] { return ReadSparseLayer(blob); });
}

Result<LayerCache::LayerPtr> LayerCache::FromDense(LayerKind kind, const DenseShape& shape, Span<const float> weights,
                                                   Span<const float> bias, int group_size) {
  const Hasher hash = HashDense(shape, weights, bias, group_size);
  const uint64_t tag = 1 + static_cast<uint64_t>(kind);
  return GetOrMake({hash.a(), hash.b(), weights.size(), tag},
                   [&] { return SparseLayerFromDense(kind, shape, weights, bias, group_size); });
}

Result<LayerCache::LayerPtr> LayerCache::FromNonzeros(const DenseShape& shape, Span<const float> weights,
                                                      Span<const float> bias, int group_size,
                                                      const std::vector<uint16_t>& permutation) {
  Hasher hash = HashDense(shape, weights, bias, group_size);
  hash.Add(Span<const uint16_t>(permutation));
  return GetOrMake({hash.a(), hash.b(), weights.size(), kNonzerosTag}, [&]() -> Result<SparseLayer> {
    Result<SparseLayer> layer = SparseLayerFromDense(LayerKind::kConv2D, shape, weights, bias, group_size);
    if (!layer.ok()) return layer;
    if (!permutation.empty()) layer->permutation = permutation;
    return WithoutZeros(std::move(*layer));
  });
}

Result<LayerCache::LayerPtr> LayerCache::FromGroups(const DenseShape& shape, int groups, Span<const float> weights,
                                                    Span<const float> bias, int group_size) {
  const Hasher hash = HashDense(shape, weights, bias, group_size);
  const uint64_t tag = kGroupsTag + static_cast<uint64_t>(groups);
  return GetOrMake({hash.a(), hash.b(), weights.size(), tag}, [&]() -> Result<SparseLayer> {
    const Result<SparseLayer> layer = SparseLayerFromDense(LayerKind::kConv2D, shape, weights, bias, group_size);
    if (!layer.ok()) return layer;
    return InGroups(*layer, groups);
  });
}

Result<LayerCache::LayerPtr> LayerCache::FromGrouping(LayerKind kind, const NonzeroBits& bits,
                                                      Span<const float> weights, Span<const float> bias,
                                                      const Grouping& grouping, int groups, const StoredAs& stored) {
  Hasher hash = HashDense(bits.shape(), weights, bias, grouping.group_size);
  hash.Add(Span<const uint16_t>(grouping.permutation));
  hash.Add(&stored.type, sizeof(stored.type));
  hash.Add(Span<const float>(stored.scales));
  const uint64_t tag = kPackedTag | static_cast<uint64_t>(kind) << kKindShift | static_cast<uint64_t>(groups);
  return GetOrMake({hash.a(), hash.b(), weights.size(), tag}, [&]() -> Result<SparseLayer> {
    Result<SparseLayer> layer = PackLayer(kind, bits, weights, bias, grouping);
    if (!layer.ok()) return layer;
    if (kind == LayerKind::kFullyConnected) MCPRUNER_RETURN_IF_ERROR(StoreNarrow(stored, &*layer));
    return groups == 1 ? layer : InGroups(*layer, groups);
  });
}

void LayerCache::DropUnused() {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto it = layers_.begin(); it != layers_.end();) it = it->second.use_count() == 1 ? layers_.erase(it) : ++it;
}

size_t LayerCache::size() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return layers_.size();
}

Result<LayerCache::LayerPtr> LayerCache::GetOrMake(const Key& key, const std::function<Result<SparseLayer>()>& make) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const auto found = layers_.find(key); found != layers_.end()) return found->second;
  Result<SparseLayer> made = make();
  if (!made.ok()) return made.status();
  LayerPtr layer = std::make_shared<const SparseLayer>(std::move(*made));
  layers_.emplace(key, layer);
  return layer;
}

}  // namespace mcpruner
