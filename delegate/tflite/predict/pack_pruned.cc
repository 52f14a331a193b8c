#include "delegate/tflite/predict/pack_pruned.h"

#include <cstdint>
#include <cstdio>
#include <optional>
#include <utility>

#include "delegate/base/limits.h"
#include "delegate/cost/amounts.h"
#include "delegate/graph/weights/check_dense.h"
#include "delegate/graph/weights/model_plan.h"
#include "delegate/graph/weights/nonzero_bits.h"
#include "delegate/graph/weights/weights_key.h"
#include "delegate/tflite/predict/choose_packing.h"
#include "delegate/tflite/predict/layer_times.h"

namespace mcpruner {
namespace {

using cost::Geometry;
using cost::LayerType;

constexpr char kPlanName[] = "mcpruner";  // of the metadata; PLAN in converter/tflite/portable.py

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
  const bool transposed = geometry->type == LayerType::kTransposedConv;
  if (transposed && !(geometry->stride >= 1 && geometry->stride <= kMaxStep)) {
    return Status::Error("expected a stride of 1 to " + std::to_string(kMaxStep) + ", got " +
                         std::to_string(static_cast<int64_t>(geometry->stride)));
  }
  Result<FloatConstant> filter = ReadFloats(view, InputIndex(node, 1), "its filter");
  if (!filter.ok()) return filter.status();
  layer.filter = std::move(*filter);
  const Dims& dims = layer.filter.dims;
  if (geometry->type == LayerType::kFullyConnected) layer.kind = LayerKind::kFullyConnected;
  if (transposed) layer.kind = LayerKind::kTransposeConv2D;
  layer.shape = dims.size() == 2 ? DenseShape{dims[0], 1, 1, dims[1]} : DenseShape{dims[0], dims[1], dims[2], dims[3]};
  const int bias_index = InputIndex(node, transposed ? 3 : 2);
  if (bias_index == kTfLiteOptionalTensor) return layer;
  Result<FloatConstant> bias = ReadFloats(view, bias_index, "its bias");
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

// Returns where the weights are, if a layer can be run with them and its bias; if not, no backend does.
Result<NonzeroBits> ReadBits(const PlainLayer& layer, LoadPacking* row) {
  row->runs = false;
  Result<NonzeroBits> bits = NonzeroBits::Of(layer.shape, layer.filter.values);
  if (!bits.ok()) return bits;
  MCPRUNER_RETURN_IF_ERROR(CheckBias(layer.bias.values, layer.shape.out_channels));
  row->runs = true;
  return bits;
}

double DensityOf(const NonzeroBits& bits) {
  const DenseShape& shape = bits.shape();
  const double positions = static_cast<double>(shape.kernel_height) * shape.kernel_width;
  return static_cast<double>(bits.Count()) / (positions * shape.out_channels * shape.in_channels);
}

// Packs the layers of one subgraph, and writes into their rows.
class LoadPacker {
 public:
  LoadPacker(const cost::CostTable& table, LayerCache* cache, ModelView* view)
      : table_(table), cache_(*cache), view_(*view) {
    const Span<const uint8_t> metadata = ReadMetadata(view_, kPlanName);
    if (metadata.empty()) return;
    Result<ModelPlan> plan = ReadModelPlan(metadata);
    if (plan.ok()) plan_ = std::move(*plan);
    no_plan_ = plan.ok() ? "no plan in the file has the key of its weights, which were changed since it was converted"
                         : "the plans in the file were ignored: " + plan.message();
  }

  bool has_plans() const { return !plan_.empty(); }
  bool uses_all_plans() const { return plan_.AllUsed(); }

  // Returns whether the layer is done: there is a plan for it, or it cannot be read.
  bool PackPlanned(const NodeRef& node, LoadPacking* row) {
    const Result<PlainLayer> layer = ReadLayer(view_, node);
    const LayerPlan* const plan = layer.ok() ? plan_.Next(WeightsKey(layer->shape, layer->filter.values)) : nullptr;
    if (layer.ok() && plan == nullptr) return false;
    const Result<NonzeroBits> bits = layer.ok() ? ReadBits(*layer, row) : layer.status();
    if (!bits.ok()) {
      row->reason = bits.message();
      return true;
    }
    const Status status = PackByPlan(node, *layer, *bits, *plan, row);
    if (status.ok()) return true;
    row->plan_reason = "its plan was ignored: " + status.message();
    row->reason = PackGreedily(node, *layer, *bits, row).message();
    return true;
  }

  void PackUnplanned(const NodeRef& node, LoadPacking* row) {
    row->plan_reason = no_plan_;
    const Result<PlainLayer> layer = ReadLayer(view_, node);
    const Result<NonzeroBits> bits = layer.ok() ? ReadBits(*layer, row) : layer.status();
    row->reason = bits.ok() ? PackGreedily(node, *layer, *bits, row).message() : bits.message();
  }

 private:
  // Returns what does not hold of the plan.
  Status PackByPlan(const NodeRef& node, const PlainLayer& layer, const NonzeroBits& bits, const LayerPlan& plan,
                    LoadPacking* row) {
    const auto groups = static_cast<int>(layer.geometry.groups);
    const Result<PlannedPacking> packing = CheckPlan(plan, layer.shape.out_channels, groups);
    if (!packing.ok()) return packing.status();
    const double speedup = PackedSpeedup(bits, packing->grouping, layer.geometry, table_);
    if (speedup > 0 && speedup <= 1) {  // with 0 the format does not hold it, and packing it says why
      row->reason = DoesNotPay(DensityOf(bits), speedup);
      return Status::Ok();
    }
    MCPRUNER_RETURN_IF_ERROR(Keep(node, layer, bits, *packing, row));
    row->planned = true;
    return Status::Ok();
  }

  // Returns why the layer is not packed.
  Status PackGreedily(const NodeRef& node, const PlainLayer& layer, const NonzeroBits& bits, LoadPacking* row) {
    const double density = DensityOf(bits);
    if (density == 1) return Status::Error("its weights have no zeros");
    if (KeepsTooMuch(bits.Count(), static_cast<int64_t>(layer.filter.values.size()))) {
      return Status::Error(RunsAsFastDense(density));
    }
    Packing packing = ChoosePacking(bits, layer.geometry, table_);
    if (packing.speedup <= 1) return Status::Error(DoesNotPay(density, packing.speedup));
    return Keep(node, layer, bits, {std::move(packing.grouping), {}}, row);
  }

  Status Keep(const NodeRef& node, const PlainLayer& layer, const NonzeroBits& bits, const PlannedPacking& packing,
              LoadPacking* row) {
    const auto pack = [&](int groups) {
      return cache_.FromGrouping(layer.kind, bits, layer.filter.values, layer.bias.values, packing.grouping, groups,
                                 packing.stored);
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
    view_.packed[node.index] = std::move(packed);
    row->group_size = packing.grouping.group_size;
    row->density = DensityOf(bits);
    return Status::Ok();
  }

  const cost::CostTable& table_;
  LayerCache& cache_;
  ModelView& view_;
  ModelPlan plan_;
  std::string no_plan_;  // why a layer has no plan, in a file with plans
};

}  // namespace

std::map<int, LoadPacking> PackPruned(const std::vector<NodeRef>& nodes, const cost::CostTable& table,
                                      LayerCache* cache, ModelView* view) {
  LoadPacker packer(table, cache, view);
  std::map<int, LoadPacking> rows;
  std::vector<NodeRef> unplanned;
  for (const NodeRef& node : nodes) {
    const std::string name = OpName(*node.registration);
    if (name != "CONV_2D" && name != "FULLY_CONNECTED" && name != "TRANSPOSE_CONV") continue;
    LoadPacking& row = rows[node.index];
    if (!packer.has_plans() || !packer.PackPlanned(node, &row)) unplanned.push_back(node);
  }
  const bool left_dense = packer.has_plans() && packer.uses_all_plans();
  for (const NodeRef& node : unplanned) {
    LoadPacking& row = rows[node.index];
    if (left_dense) {
      row.reason = kLeftDense;
    } else {
      packer.PackUnplanned(node, &row);
    }
  }
  return rows;
}

}  // namespace mcpruner
