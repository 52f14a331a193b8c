#include "delegate/graph/op_stats.h"

namespace mcpruner {
namespace {

template <typename Vector>
int64_t Bytes(const Vector& v) {
  return static_cast<int64_t>(v.size() * sizeof(v[0]));
}

// Returns null where the op has no layer.
const SparseLayer* LayerOf(const Op& op) {
  if (const auto* conv = std::get_if<ConvParams>(&op.params)) return conv->layer.get();
  if (const auto* fc = std::get_if<FullyConnectedParams>(&op.params)) return fc->layer.get();
  return nullptr;
}

}  // namespace

int64_t LayerBytes(const SparseLayer& l) {
  return Bytes(l.patterns) + Bytes(l.group_run_begin) + Bytes(l.runs) + Bytes(l.channels) + Bytes(l.values) +
         Bytes(l.narrow) + Bytes(l.scales) + Bytes(l.permutation) + Bytes(l.bias);
}

int64_t OpWeightBytes(const Op& op) {
  if (const SparseLayer* layer = LayerOf(op)) return LayerBytes(*layer);
  if (const auto* p = std::get_if<DepthwiseParams>(&op.params)) return Bytes(*p->weights) + Bytes(*p->bias);
  return 0;
}

OpProfile DescribeOp(const Graph& graph, const Op& op) {
  OpProfile profile;
  profile.name = op.name;
  profile.type = OpTypeName(op.type);
  profile.input = graph.tensor(op.inputs[0]).shape;
  profile.output = graph.tensor(op.output).shape;
  const Shape& out = profile.output;
  if (const SparseLayer* layer = LayerOf(op)) {
    profile.density = layer->Density();
    profile.macs = layer->StoredWeights() * out.n * out.h * out.w;
  } else if (const auto* p = std::get_if<DepthwiseParams>(&op.params)) {
    profile.macs = out.size() * p->kernel_height * p->kernel_width;
  }
  int64_t elements = out.size();
  for (const int i : op.inputs) elements += graph.tensor(i).shape.size();
  profile.bytes = elements * static_cast<int64_t>(sizeof(float)) + OpWeightBytes(op);
  return profile;
}

OpProfile DescribeConversion(const Graph& graph, int tensor, const char* type, const std::string& kernel,
                             int64_t packed_bytes) {
  OpProfile profile;
  profile.name = graph.tensor(tensor).name;
  profile.type = type;
  profile.kernel = kernel;
  profile.input = profile.output = graph.tensor(tensor).shape;
  profile.bytes = profile.input.size() * (static_cast<int64_t>(sizeof(float)) + packed_bytes);
  return profile;
}

}  // namespace mcpruner
