// Precision float16 is tested on a device that has cl_khr_fp16, or else on PoCL, whose compiler has the type without
// the extension (common.cl).

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "delegate/base/relative_error.h"
#include "delegate/cpu/reference_backend.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"
#include "delegate/opencl/testing/agreement.h"
#include "delegate/opencl/testing/device_tools.h"

namespace mcpruner {
namespace {

Graph OneConv(int in_channels, int group_size, double density) {
  std::mt19937 rng(1);
  const auto layer = RandomLayer(rng, LayerKind::kConv2D, {8, 3, 3, in_channels}, group_size, 4, density);
  GraphBuilder b;
  return b.Finish(
      {b.Op(OpType::kConv, {b.Input({1, 7, 9, in_channels})}, ConvParams{{1, 1, 1, 1, {1, 1, 1, 1}}, layer})});
}

std::vector<float> Input(const Graph& graph) {
  std::mt19937 rng(2);
  return RandomFloats(rng, graph.tensor(graph.inputs[0]).shape.size());
}

// Compiles the graph as the backend does, but without asking for the extension.
std::vector<float> RunWithHalves(const Graph& graph, const char* arithmetic) {
  const opencl::TestTools tools(*opencl::LoadOpenCl(""), Precision::kFloat16,
                                {{"STORAGE_HALF", "1"}, {"ARITHMETIC_HALF", arithmetic}});
  return tools.Run(graph, Input(graph));
}

TEST(HalfArithmeticTest, AgreesWithTheReference) {
  MCPRUNER_NEEDS_OPENCL();
  const auto api = opencl::LoadOpenCl("");
  const auto info = opencl::ChooseDevice(*api);
  if (!info->half_arithmetic && info->platform != "Portable Computing Language") {
    GTEST_SKIP() << "not run: '" << info->name << "' has no half arithmetic";
  }
  for (const int group_size : {1, 2, 4}) {
    for (const int in_channels : {3, 40, 300}) {
      SCOPED_TRACE(std::to_string(group_size) + " filters, " + std::to_string(in_channels) + " channels");
      const Graph graph = OneConv(in_channels, group_size, 0.5);
      const std::vector<float> expected = RunGraph(*CreateReferenceBackend(), graph, {Input(graph)})[0];
      const std::vector<float> y = RunWithHalves(graph, "1");
      EXPECT_LT(RelativeError(y, expected), 5e-3);
      EXPECT_NE(y, RunWithHalves(graph, "0")) << "sums are not halves";
    }
  }
}

TEST(HalfArithmeticTest, IsRefusedWhereTheDeviceHasNone) {
  MCPRUNER_NEEDS_OPENCL();
  const auto info = opencl::ChooseDevice(*opencl::LoadOpenCl(""));
  OpenClOptions options;
  options.precision = Precision::kFloat16;
  const auto backend = CreateOpenClBackend(options);
  if (info->half_arithmetic) {
    EXPECT_TRUE(backend.ok()) << backend.message();
  } else {
    EXPECT_EQ(backend.message(), "precision float16 needs cl_khr_fp16, which '" + info->name +
                                     "' does not have; float16_storage works everywhere");
  }
}

}  // namespace
}  // namespace mcpruner
