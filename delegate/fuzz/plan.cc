// This target tests the reader of plans: any bytes are the metadata of a model of three layers. Whatever they say, the
// layers that are packed hold their weights bit for bit.

#include <cstring>
#include <string>
#include <vector>

#include "delegate/cost/testing/flat_table.h"
#include "delegate/fuzz/fuzz.h"
#include "delegate/fuzz/load.h"
#include "delegate/graph/weights/model_plan.h"
#include "delegate/tflite/abi/builtin_params.h"
#include "delegate/tflite/testing/fake_model.h"

namespace mcpruner {
namespace {

// A convolution, one of two groups, and a fully-connected layer; the seeds have plans with the keys of their weights
// (make_plan_seeds.py).
struct Layers {
  explicit Layers(const std::vector<uint8_t>& metadata) {
    model.Metadata("mcpruner", metadata);
    int x = model.Input("x", {1, 4, 4, 6});
    x = Add(kTfLiteBuiltinConv2d, x, {8, 2, 2, 6}, {1, 4, 4, 8}, &conv);
    x = Add(kTfLiteBuiltinConv2d, x, {6, 1, 1, 4}, {1, 4, 4, 6}, &conv);
    model.Output(Add(kTfLiteBuiltinFullyConnected, x, {5, 6}, {16, 5}, &dense));
  }
  // Every third weight is not zero.
  int Add(int32_t code, int x, const Dims& shape, const Dims& output, void* params) {
    size_t count = 1;
    for (const int size : shape) count *= static_cast<size_t>(size);
    weights.emplace_back(count);
    for (size_t i = 0; i < count; i += 3) weights.back()[i] = 1.0f + static_cast<float>(i % 64);
    const int y = model.Tensor("y", output);
    model.Node(code, {x, model.Constant("w", shape, weights.back()), -1}, {y}, params);
    return y;
  }

  TfLiteConvParams conv = {kTfLitePaddingSame, 1, 1, kTfLiteActNone, 1, 1};
  TfLiteFullyConnectedParams dense = {};
  FakeModel model;
  std::vector<std::vector<float>> weights;
};

void LoadBytes(const std::vector<uint8_t>& bytes) {
  const Result<ModelPlan> plan = ReadModelPlan(bytes);
  Check(plan.ok() || plan.message().find('\n') == std::string::npos, "an error is one line");
  Layers layers(bytes);
  cost::CostTable table = cost::FlatTable();  // in which every layer is faster packed
  table.nanoseconds.tflite_conv.layer = table.nanoseconds.tflite_pointwise.layer = 20;
  table.nanoseconds.tflite_fully_connected.layer = 20;
  table.nanoseconds.packed_conv.layer = table.nanoseconds.packed_pointwise.layer = 10;
  table.nanoseconds.packed_fully_connected.layer = 10;
  LayerCache cache;
  ModelView view;
  const auto rows = LoadNodes(3, table, &layers.model, &cache, &view);
  const bool left_dense = plan.ok() && !plan->empty() && view.packed.size() < rows.size();
  for (const auto& [number, row] : rows) {
    if (row.group_size == 0) {
      Check(left_dense && row.reason == kLeftDense, "a layer stays dense where all plans are of others");
      continue;
    }
    Check(bytes.empty() || row.planned == row.plan_reason.empty(), "a layer without a plan has a reason");
    const std::vector<float>& weights = layers.weights[static_cast<size_t>(number)];
    const std::vector<float> dense = DenseWeights(*view.packed[number].layer);
    Check(dense.size() == weights.size() &&
              std::memcmp(dense.data(), weights.data(), weights.size() * sizeof(float)) == 0,
          "a packed layer has the weights of the file");
  }
}

}  // namespace
}  // namespace mcpruner

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mcpruner::LoadBytes({data, data + size});
  return 0;
}
