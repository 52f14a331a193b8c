// An inference may ask OpenCL for this: launches, one mapping of each input and output, and nothing that allocates or
// waits.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "delegate/graph/testing/graph_builder.h"
#include "delegate/opencl/testing/agreement.h"
#include "delegate/opencl/testing/device_tools.h"

namespace mcpruner {
namespace {

// OpenCL's functions are plain pointers, so what stands in for them can only count in globals.
opencl::OpenClApi real;
std::map<std::string, int> calls;

// Makes every function of `api` count its calls under its name.
void CountCalls(opencl::OpenClApi* api) {
  real = *api;
#define MCPRUNER_CL(name)                          \
  api->name = [](auto... args) -> decltype(auto) { \
    ++calls[#name];                                \
    return real.name(args...);                     \
  };
#include "delegate/opencl/driver/functions.inc"
#undef MCPRUNER_CL
}

TEST(InferenceCallsTest, NothingIsAllocatedAndNothingWaitsInBetween) {
  MCPRUNER_NEEDS_OPENCL();
  auto api = opencl::LoadOpenCl("");
  CountCalls(&*api);
  const opencl::TestTools tools(*api, Precision::kFloat32, {{"STORAGE_HALF", "0"}});
  const Graph graph = RandomGraph(3);
  const auto executable = opencl::OpenClExecutable::Make(graph, *tools, 0);
  ASSERT_TRUE(executable.ok()) << executable.message();
  const std::vector<float> x(static_cast<size_t>(graph.tensor(graph.inputs[0]).shape.size()), 0.5f);
  std::vector<std::vector<float>> results;
  for (const int tensor : graph.outputs) results.emplace_back(static_cast<size_t>(graph.tensor(tensor).shape.size()));
  const std::vector<const float*> inputs{x.data()};
  std::vector<float*> outputs;
  for (std::vector<float>& result : results) outputs.push_back(result.data());
  calls.clear();
  ASSERT_TRUE((*executable)->Run(inputs, outputs).ok());
  const int ends = 1 + static_cast<int>(graph.outputs.size());
  EXPECT_GT(calls["clEnqueueNDRangeKernel"], ends);
  EXPECT_EQ(calls["clEnqueueMapBuffer"], ends);
  EXPECT_EQ(calls["clEnqueueUnmapMemObject"], ends);
  for (const char* allowed : {"clEnqueueNDRangeKernel", "clEnqueueMapBuffer", "clEnqueueUnmapMemObject", "clFlush"}) {
    calls.erase(allowed);
  }
  for (const auto& [name, count] : calls) ADD_FAILURE() << count << " calls of " << name;
}

}  // namespace
}  // namespace mcpruner
