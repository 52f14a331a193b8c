// Transposed convolutions are planned as the ordinary ones that transposed_conv.h describes.

#include <numeric>

#include "delegate/tflite/parse/parse_common.h"
#include "delegate/tflite/parse/transposed_conv.h"

namespace mcpruner {
namespace {

// Returns which filter each filter of `phases` phases is: every phase has all filters, in the same order.
std::vector<uint16_t> OfPhases(const std::vector<uint16_t>& permutation, int phases) {
  std::vector<uint16_t> all;
  const size_t filters = permutation.size();
  for (size_t i = 0; i < filters * static_cast<size_t>(phases); ++i) {
    all.push_back(static_cast<uint16_t>(i / filters * filters + permutation[i % filters]));
  }
  return all;
}

}  // namespace

TransposedConv TransposedOf(const SparseLayer& layer) {
  SparseLayer packed = layer;
  std::iota(packed.permutation.begin(), packed.permutation.end(), uint16_t{0});
  TransposedConv conv;
  conv.shape = {layer.out_channels, layer.kernel_height, layer.kernel_width, layer.in_channels};
  conv.weights = DenseWeights(packed);
  conv.bias = layer.bias;
  conv.permutation = layer.permutation;
  conv.group_size = layer.group_size;
  return conv;
}

Status SetTransposed(const TransposedConv& conv, LayerCache* cache, NodePlan* plan) {
  const DenseShape& shape = conv.shape;
  const Result<TransposedAxis> rows = MakeTransposedAxis(conv.output[1], shape.kernel_height, conv.stride_h, conv.same);
  if (!rows.ok()) return rows.status();
  const Result<TransposedAxis> columns =
      MakeTransposedAxis(conv.output[2], shape.kernel_width, conv.stride_w, conv.same);
  if (!columns.ok()) return columns.status();
  const Result<std::vector<float>> filters =
      PhaseFilters(conv.weights, shape.out_channels, shape.in_channels, *rows, *columns);
  if (!filters.ok()) return filters.status();
  const int phases = rows->stride * columns->stride;
  std::vector<float> bias;
  for (int phase = 0; phase < phases; ++phase) bias.insert(bias.end(), conv.bias.begin(), conv.bias.end());
  const Dims input{conv.output[0], rows->in, columns->in, shape.in_channels};
  const DenseShape phase_shape{phases * shape.out_channels, rows->taps, columns->taps, shape.in_channels};
  const int group_size = conv.group_size > 0 ? conv.group_size : DenseGroupSize(input, phase_shape.out_channels);
  const Result<LayerCache::LayerPtr> layer =
      cache->FromNonzeros(phase_shape, *filters, bias, group_size, OfPhases(conv.permutation, phases));
  if (!layer.ok()) return layer.status();
  Window window;
  window.padding = {rows->PaddingBefore(), rows->PaddingAfter(), columns->PaddingBefore(), columns->PaddingAfter()};
  plan->type = OpType::kConv;
  plan->params = ConvParams{window, *layer};
  const DepthToSpaceParams blocks{rows->stride, columns->stride, rows->blocks * rows->stride - rows->out,
                                  columns->blocks * columns->stride - columns->out};
  plan->deferred = PixelBlocks{input, conv.output, blocks};
  return Status::Ok();
}

}  // namespace mcpruner
