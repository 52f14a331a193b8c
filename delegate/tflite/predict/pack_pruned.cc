#include "delegate/tflite/predict/pack_pruned.h"

#include <cstdio>
#include <optional>
#include <utility>

#include "delegate/cost/amounts.h"
#include "delegate/graph/weights/check_dense.h"
#include "delegate/graph/weights/nonzero_bits.h"
#include "delegate/tflite/predict/choose_packing.h"
#include "delegate/tflite/predict/layer_times.h"

namespace mcpruner {
namespace {

using cost::Geometry;
using cost::LayerType;

// A layer as it is read: `filter` and `bias` are those of the file.
struct PlainLayer {
  LayerKind kind = LayerKind::kConv2D;
  Geometry geometry;
  DenseShape shape;
  FloatConstant filter, bias;
};

Result<PlainLayer> ReadLayer(const ModelView& view, const NodeRef& node) {
  PlainLayer layer;
  const std::optional<Geometry> geometry = DenseGeometry(view, node);
  if (!geometry) return Status::Error("its filters do not fit its input");
  layer.geometry = *geometry;
  if (geometry->type == LayerType::kDepthwise) return Status::Error("depthwise convolutions are not packed");
  Result<FloatConstant> filter = ReadFloats(view, InputIndex(node, 1), "its filter");
  if (!filter.ok()) return filter.status();
  layer.filter = std::move(*filter);
  const Dims& dims = layer.filter.dims;
  if (geometry->type == LayerType::kFullyConnected) layer.kind = LayerKind::kFullyConnected;
  layer.shape = dims.size() == 2 ? DenseShape{dims[0], 1, 1, dims[1]} : DenseShape{dims[0], dims[1], dims[2], dims[3]};
  if (InputIndex(node, 2) == kTfLiteOptionalTensor) return layer;
  Result<FloatConstant> bias = ReadFloats(view, InputIndex(node, 2), "its bias");
  if (!bias.ok()) return bias.status();
  layer.bias = std::move(*bias);
  return layer;
}

std::string RunsAsFastDense(double density) {
  char text[128];
  std::snprintf(text, sizeof text, "it keeps %.3f of its weights: a dense layer runs as fast", density);
  return text;
}

std::string DoesNotPay(double density, double speedup) {
  char text[128];
  std::snprintf(text, sizeof text,
                "with %.1f %% zeros it is predicted to run %.2f times as fast packed, which is no gain",
                100 * (1 - density), speedup);
  return text;
}

// Packs a layer, or says why not.
Result<PackedAtLoad> PackOne(const PlainLayer& layer, const cost::CostTable& table, LayerCache* cache,
                             LoadPacking* row) {
  row->runs = false;
  const Result<NonzeroBits> bits = NonzeroBits::Of(layer.shape, layer.filter.values);
  if (!bits.ok()) return bits.status();
  MCPRUNER_RETURN_IF_ERROR(CheckBias(layer.bias.values, layer.shape.out_channels));
  row->runs = true;
  const int64_t nonzeros = bits->Count(), weights = static_cast<int64_t>(layer.filter.values.size());
  if (nonzeros == weights) return Status::Error("its weights have no zeros");
  const double density = static_cast<double>(nonzeros) / static_cast<double>(weights);
  if (KeepsTooMuch(nonzeros, weights)) return Status::Error(RunsAsFastDense(density));
  const Packing packing = ChoosePacking(*bits, layer.geometry, table);
  if (packing.speedup <= 1) return Status::Error(DoesNotPay(density, packing.speedup));
  const auto pack = [&](int groups) {
    return cache->FromGrouping(layer.kind, *bits, layer.filter.values, layer.bias.values, packing.grouping, groups);
  };
  PackedAtLoad packed;
  const Result<LayerCache::LayerPtr> own = pack(1);
  if (!own.ok()) return own.status();
  packed.layer = *own;
  if (const int groups = static_cast<int>(layer.geometry.groups); groups > 1) {
    const Result<LayerCache::LayerPtr> grouped = pack(groups);
    if (!grouped.ok()) return grouped.status();
    packed.grouped = *grouped;
  }
  row->group_size = packing.grouping.group_size;
  row->density = density;
  return packed;
}

}  // namespace

std::map<int, LoadPacking> PackPruned(const std::vector<NodeRef>& nodes, const cost::CostTable& table,
                                      LayerCache* cache, ModelView* view) {
  std::map<int, LoadPacking> rows;
  for (const NodeRef& node : nodes) {
    const std::string name = OpName(*node.registration);
    if (name != "CONV_2D" && name != "FULLY_CONNECTED") continue;
    LoadPacking& row = rows[node.index];
    const Result<PlainLayer> layer = ReadLayer(*view, node);
    Result<PackedAtLoad> packed = layer.ok() ? PackOne(*layer, table, cache, &row) : layer.status();
    if (packed.ok()) {
      view->packed[node.index] = std::move(*packed);
    } else {
      row.reason = packed.message();
    }
  }
  return rows;
}

}  // namespace mcpruner
