#include "delegate/tflite/lower/testing/run_node.h"

#include <gtest/gtest.h>

#include <numeric>
#include <utility>

#include "delegate/cpu/cpu_backend.h"
#include "delegate/cpu/reference_backend.h"
#include "delegate/graph/passes/fusion.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/tflite/lower/graph_builder.h"

namespace mcpruner {

int64_t Count(const Dims& dims) {
  return std::accumulate(dims.begin(), dims.end(), int64_t{1}, [](int64_t a, int b) { return a * b; });
}

std::vector<float> Iota(const Dims& dims, float first) {
  std::vector<float> values(static_cast<size_t>(Count(dims)));
  std::iota(values.begin(), values.end(), first);
  return values;
}

Output RunNode(NodePlan plan, const std::vector<Dims>& inputs) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    Operand operand;
    operand.tensor = static_cast<int>(i);
    plan.inputs.push_back(operand);
  }
  plan.name = "y";
  plan.output = 99;
  Result<BuiltGraph> built = BuildGraph({plan}, {99}, [&](int tensor) { return inputs[static_cast<size_t>(tensor)]; });
  if (!built.ok()) return {{}, {}, built.message()};
  std::vector<std::vector<float>> data;
  for (const int tensor : built->inputs) {
    data.push_back(Iota(inputs[static_cast<size_t>(tensor)], 100.0f * static_cast<float>(tensor)));
  }
  EXPECT_EQ(FuseGraph(&built->graph).message(), "");
  EXPECT_EQ(ValidateGraph(built->graph).message(), "");
  const auto reference = CreateReferenceBackend();
  const Output output{built->output_dims[0], RunGraph(*reference, built->graph, data)[0], ""};
  EXPECT_EQ(static_cast<int64_t>(output.values.size()), Count(output.dims));
  CpuOptions options;
  options.num_threads = 2;
  const auto cpu = CreateCpuBackend(options);
  EXPECT_EQ(RunGraph(**cpu, built->graph, data)[0], output.values);
  return output;
}

NodePlan Plan(OpType type) {
  NodePlan plan;
  plan.type = type;
  return plan;
}

void ForEach(const Dims& dims, const std::function<void(const Dims&)>& f) {
  Dims at(dims.size());
  for (int64_t i = 0; i < Count(dims); ++i) {
    int64_t rest = i;
    for (size_t k = dims.size(); k-- > 0; rest /= dims[k]) at[k] = static_cast<int>(rest % dims[k]);
    f(at);
  }
}

size_t Offset(const Dims& dims, const Dims& at) {
  size_t offset = 0;
  for (size_t i = 0; i < dims.size(); ++i) {
    const int k = dims[i] == 1 ? 0 : at[at.size() - dims.size() + i];
    offset = offset * static_cast<size_t>(dims[i]) + static_cast<size_t>(k);
  }
  return offset;
}

}  // namespace mcpruner
