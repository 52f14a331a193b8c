// This target tests the format's reader: it makes of any bytes a layer that every micro-kernel may trust, or an error
// of one line.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "delegate/cpu/cpu_backend.h"
#include "delegate/cpu/reference_backend.h"
#include "delegate/fuzz/fuzz.h"
#include "delegate/graph/backend.h"
#include "delegate/graph/shapes.h"
#include "delegate/graph/weights/blob_reader.h"

namespace mcpruner {
namespace {

constexpr int64_t kMostWork = 1 << 16;  // multiply-adds of a layer that is run

// Returns a graph of one op, with an input that the layer fits.
Graph GraphOf(const std::shared_ptr<const SparseLayer>& layer) {
  Graph graph;
  graph.tensors.resize(2);
  graph.tensors[0].shape = {1, layer->kernel_height, layer->kernel_width + 1, layer->in_channels};
  Op op{OpType::kConv, "layer", {0}, 1, Activation::kNone, ConvParams{{}, layer}};
  if (layer->kind == LayerKind::kFullyConnected) {
    op.type = OpType::kFullyConnected;
    op.params = FullyConnectedParams{layer};
  }
  const Result<Shape> shape = OutputShape(graph, op);
  Check(shape.ok(), "a layer fits its own input: " + shape.message());
  graph.tensors[1].shape = *shape;
  graph.ops.push_back(std::move(op));
  graph.inputs = {0};
  graph.outputs = {1};
  return graph;
}

void Run(const std::string& name, Backend* backend, const Graph& graph) {
  const auto executable = backend->Compile(graph);
  Check(executable.ok(), name + " compiles a layer: " + executable.message());
  const std::vector<float> x(static_cast<size_t>(graph.tensor(0).shape.size()), 1.0f);
  std::vector<float> y(static_cast<size_t>(graph.tensor(1).shape.size()));
  const std::vector<const float*> inputs{x.data()};
  const std::vector<float*> outputs{y.data()};
  Check((*executable)->Run(inputs, outputs).ok(), name + " runs a layer");
}

void ReadAndRun(Span<const uint8_t> bytes) {
  static const auto reference = CreateReferenceBackend();
  static const auto cpu = CreateCpuBackend({});
  Result<SparseLayer> read = ReadSparseLayer(bytes);
  if (!read.ok()) {
    Check(!read.message().empty() && read.message().find('\n') == std::string::npos, "an error is one line");
    return;
  }
  const auto layer = std::make_shared<const SparseLayer>(std::move(*read));
  Check(layer->Density() >= 0 && layer->Density() <= 1, "a density is 0 to 1");
  const int64_t positions = int64_t{layer->kernel_height} * layer->kernel_width;
  if (positions * layer->in_channels * layer->out_channels > kMostWork) return;
  Check(static_cast<int64_t>(DenseWeights(*layer).size()) == positions * layer->in_channels * layer->out_channels,
        "dense weights have the layer's size");
  const Graph graph = GraphOf(layer);
  Run("reference", reference.get(), graph);
  Run("cpu", cpu->get(), graph);
}

}  // namespace
}  // namespace mcpruner

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mcpruner::ReadAndRun({data, size});
  return 0;
}
