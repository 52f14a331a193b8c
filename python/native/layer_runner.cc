#include "python/native/layer_runner.h"

#include <memory>
#include <utility>

#include "delegate/cpu/cpu_backend.h"
#include "delegate/cpu/reference_backend.h"
#include "delegate/graph/passes/fusion.h"
#include "delegate/graph/weights/blob_reader.h"
#include "delegate/opencl/opencl_backend.h"
#include "delegate/tflite/lower/graph_builder.h"
#include "delegate/tflite/parse/node_plan.h"

namespace mcpruner {
namespace {

constexpr int kInput = 0, kOutput = 1;  // "TFLite tensors" of the one node

Result<NodePlan> PlanLayer(Span<const uint8_t> blob, Span<const uint8_t> options) {
  Result<SparseLayer> layer = ReadSparseLayer(blob);
  if (!layer.ok()) return layer.status();
  const auto shared = std::make_shared<const SparseLayer>(std::move(*layer));
  Operand input;
  input.tensor = kInput;
  NodePlan plan;
  plan.name = "layer";
  plan.inputs.push_back(input);
  plan.output = kOutput;
  LayerCache cache;
  MCPRUNER_RETURN_IF_ERROR(SetSparseParams(shared, options, &cache, &plan));
  return plan;
}

Result<std::unique_ptr<Backend>> MakeBackend(const LayerRun& how) {
  if (how.backend != "cpu" && how.backend != "opencl" && how.backend != "reference") {
    return Status::Error("expected backend 'cpu', 'opencl' or 'reference', got '" + how.backend + "'");
  }
  if (how.backend != "cpu" && !how.simd.empty()) {
    return Status::Error("backend '" + how.backend + "' has no simd targets; leave simd empty");
  }
  if (how.backend == "reference") return CreateReferenceBackend();
  if (how.backend == "opencl") return CreateOpenClBackend({});
  CpuOptions options;
  options.num_threads = how.num_threads;
  options.simd = how.simd;
  return CreateCpuBackend(options);
}

}  // namespace

Result<LayerOutput> RunLayer(Span<const uint8_t> blob, Span<const uint8_t> options, const std::vector<int>& dims,
                             const float* x, const LayerRun& how) {
  Result<NodePlan> plan = PlanLayer(blob, options);
  if (!plan.ok()) return plan.status();
  Result<BuiltGraph> built = BuildGraph({std::move(*plan)}, {kOutput}, [&dims](int) { return dims; });
  if (!built.ok()) return built.status();
  MCPRUNER_RETURN_IF_ERROR(FuseGraph(&built->graph));
  MCPRUNER_RETURN_IF_ERROR(ValidateGraph(built->graph));
  Result<std::unique_ptr<Backend>> backend = MakeBackend(how);
  if (!backend.ok()) return backend.status();
  Result<std::unique_ptr<Executable>> executable = (*backend)->Compile(built->graph);
  if (!executable.ok()) return executable.status();
  const Graph& graph = built->graph;
  LayerOutput output;
  output.dims = built->output_dims[0];
  output.values.resize(static_cast<size_t>(graph.tensor(graph.outputs[0]).shape.size()));
  const float* const inputs[] = {x};
  float* const outputs[] = {output.values.data()};
  MCPRUNER_RETURN_IF_ERROR((*executable)->Run({inputs, 1}, {outputs, 1}));
  return output;
}

}  // namespace mcpruner
