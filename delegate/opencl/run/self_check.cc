#include "delegate/opencl/run/self_check.h"

#include <cstdio>
#include <utility>
#include <vector>

#include "delegate/base/relative_error.h"
#include "delegate/cpu/reference_backend.h"
#include "delegate/graph/shapes.h"

namespace mcpruner::opencl {
namespace {

constexpr int kSize = 9, kIn = 5, kChannels = 8, kClasses = 6;

// Returns numbers in -1..1 that are the same on every machine.
std::vector<float> Numbers(int count) {
  uint32_t state = 1;
  std::vector<float> numbers;
  for (int i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    numbers.push_back(static_cast<float>(state >> 8) / static_cast<float>(1 << 23) - 1.0f);
  }
  return numbers;
}

Result<std::shared_ptr<const SparseLayer>> Layer(LayerKind kind, const DenseShape& shape) {
  const int size = shape.out_channels * shape.kernel_height * shape.kernel_width * shape.in_channels;
  const std::vector<float> weights = Numbers(size), bias = Numbers(shape.out_channels);
  Result<SparseLayer> layer = SparseLayerFromDense(kind, shape, weights, bias, 4);
  if (!layer.ok()) return layer.status();
  return std::make_shared<const SparseLayer>(std::move(*layer));
}

// Adds an op. The shape of its output follows from its inputs; ValidateGraph tells where it does not.
int AddOp(OpType type, const char* name, std::vector<int> inputs, OpParams params, Graph* graph) {
  Op op{type, name, std::move(inputs), static_cast<int>(graph->tensors.size()), Activation::kNone, std::move(params)};
  const Result<Shape> shape = OutputShape(*graph, op);
  graph->tensors.emplace_back();
  graph->tensors.back().name = name;
  if (shape.ok()) graph->tensors.back().shape = *shape;
  graph->ops.push_back(std::move(op));
  return graph->ops.back().output;
}

Result<Graph> MakeNetwork() {
  const auto first = Layer(LayerKind::kConv2D, {kChannels, 3, 3, kIn});
  const auto second = Layer(LayerKind::kConv2D, {kChannels, 3, 3, kChannels});
  const auto dense = Layer(LayerKind::kFullyConnected, {kClasses, 1, 1, kChannels});
  for (const auto* layer : {&first, &second, &dense}) {
    if (!layer->ok()) return layer->status();
  }
  DepthwiseParams depthwise{{2, 2, 1, 1, {1, 1, 1, 1}}, 3, 3, 1, nullptr, nullptr};
  depthwise.weights = std::make_shared<const std::vector<float>>(Numbers(3 * 3 * kChannels));
  depthwise.bias = std::make_shared<const std::vector<float>>(Numbers(kChannels));
  const Window same{1, 1, 1, 1, {1, 1, 1, 1}};
  Graph graph;
  graph.tensors.emplace_back();
  graph.tensors[0].shape = {2, kSize, kSize, kIn};
  graph.inputs = {0};
  int y = AddOp(OpType::kConv, "conv", {0}, ConvParams{same, *first}, &graph);
  graph.ops.back().activation = Activation::kRelu6;
  y = AddOp(OpType::kConv, "residual", {y, y}, ConvParams{same, *second}, &graph);
  y = AddOp(OpType::kDepthwiseConv, "depthwise", {y}, depthwise, &graph);
  y = AddOp(OpType::kMaxPool, "pool", {y}, PoolParams{{2, 2, 1, 1, {}}, 2, 2}, &graph);
  graph.outputs = {y};
  y = AddOp(OpType::kMean, "mean", {y}, ReduceParams{}, &graph);
  y = AddOp(OpType::kFullyConnected, "dense", {y}, FullyConnectedParams{*dense}, &graph);
  graph.outputs.push_back(AddOp(OpType::kSoftmax, "softmax", {y}, SoftmaxParams{0.01f}, &graph));
  return graph;
}

Result<std::vector<std::vector<float>>> Outputs(Backend* backend, const Graph& graph) {
  auto executable = backend->Compile(graph);
  if (!executable.ok()) return executable.status();
  const std::vector<float> x = Numbers(static_cast<int>(graph.tensor(graph.inputs[0]).shape.size()));
  const std::vector<const float*> inputs{x.data()};
  std::vector<std::vector<float>> results;
  for (const int tensor : graph.outputs) results.emplace_back(static_cast<size_t>(graph.tensor(tensor).shape.size()));
  std::vector<float*> outputs;
  for (std::vector<float>& result : results) outputs.push_back(result.data());
  MCPRUNER_RETURN_IF_ERROR((*executable)->Run(inputs, outputs));
  return results;
}

}  // namespace

Status SelfCheck(Backend* backend, double tolerance) {
  const Result<Graph> graph = MakeNetwork();
  if (!graph.ok()) return graph.status();
  MCPRUNER_RETURN_IF_ERROR(ValidateGraph(*graph));
  const auto expected = Outputs(CreateReferenceBackend().get(), *graph);
  if (!expected.ok()) return expected.status();
  const auto actual = Outputs(backend, *graph);
  if (!actual.ok()) return Status::Error("the self-check could not run: " + actual.message());
  for (size_t k = 0; k < expected->size(); ++k) {
    const double error = RelativeError((*actual)[k], (*expected)[k]);
    if (error <= tolerance) continue;
    char text[160];
    std::snprintf(text, sizeof text,
                  "the device computes wrong numbers (self-check: off by %.2g of the largest, expected at most %.2g); "
                  "another driver may mend it",
                  error, tolerance);
    return Status::Error(text);
  }
  return Status::Ok();
}

}  // namespace mcpruner::opencl
