// These convolutions read their taps through local memory, which the device of the tests would not choose.

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "delegate/base/relative_error.h"
#include "delegate/cpu/reference_backend.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"
#include "delegate/opencl/plan/packed_layer.h"
#include "delegate/opencl/testing/agreement.h"
#include "delegate/opencl/testing/device_tools.h"

namespace mcpruner {
namespace {

constexpr cl_ulong kLocalBytes = 8 << 10;  // a portion has then room for fewer columns than it has lanes

struct Case {
  int group_size, num_patterns;  // 0: all positions of all kernels
  double density;
  opencl::ConvTile tile;
};

Graph OneConv(const Case& c) {
  std::mt19937 rng(1);
  const auto layer = RandomLayer(rng, LayerKind::kConv2D, {10, 3, 3, 70}, c.group_size, c.num_patterns, c.density);
  GraphBuilder b;
  return b.Finish({b.Op(OpType::kConv, {b.Input({2, 9, 7, 70})}, ConvParams{{1, 1, 1, 1, {1, 1, 1, 1}}, layer})});
}

// Returns the error as a share of the largest output, compared with the reference.
double ErrorOf(const Case& c, Precision precision, const opencl::Defines& defines, const opencl::OpenClApi& api) {
  const Graph graph = OneConv(c);
  std::mt19937 rng(2);
  const std::vector<float> x = RandomFloats(rng, graph.tensor(graph.inputs[0]).shape.size());
  opencl::TestTools tools(api, precision, defines);
  tools->tiles.staged = 1;
  tools->conv_tile = c.tile;
  return RelativeError(tools.Run(graph, x), RunGraph(*CreateReferenceBackend(), graph, {x})[0]);
}

// OpenCL's functions are plain pointers, so what stands in for one finds the real one in a global.
decltype(opencl::OpenClApi::clGetDeviceInfo) real_device_info;

opencl::OpenClApi WithLocalMemory() {
  opencl::OpenClApi api = *opencl::LoadOpenCl("");
  real_device_info = api.clGetDeviceInfo;
  api.clGetDeviceInfo = [](cl_device_id device, cl_device_info what, size_t size, void* value, size_t* used) {
    const cl_int error = real_device_info(device, what, size, value, used);
    if (what == CL_DEVICE_LOCAL_MEM_SIZE && value != nullptr) *static_cast<cl_ulong*>(value) = kLocalBytes;
    return error;
  };
  return api;
}

TEST(StagedTapsTest, AgreeWithTheReference) {
  MCPRUNER_NEEDS_OPENCL();
  const opencl::OpenClApi api = WithLocalMemory();
  // The cases have a last batch that is short, portions of one batch and of several, and portions that have none of the
  // last batch. The last two stage fewer columns than there are lanes.
  for (const Case& c : {Case{4, 4, 0.5, {32, 4, 1}}, Case{4, 4, 0.9, {16, 2, 4}}, Case{2, 4, 0.3, {64, 1, 2}},
                        Case{1, 2, 0.7, {32, 8, 1}}, Case{8, 4, 0.5, {16, 4, 2}}, Case{4, 0, 1.0, {16, 4, 1}},
                        Case{4, 0, 1.0, {16, 2, 8}}, Case{4, 0, 1.0, {64, 1, 4}}, Case{4, 4, 0.6, {64, 2, 32}}}) {
    SCOPED_TRACE("groups of " + std::to_string(c.group_size) + ", " + std::to_string(c.tile.lanes) + " lanes, " +
                 std::to_string(c.tile.pixels) + " pixels, split " + std::to_string(c.tile.split));
    EXPECT_LT(ErrorOf(c, Precision::kFloat32, {}, api), 2e-5);
    EXPECT_LT(ErrorOf(c, Precision::kFloat16Storage, {{"STORAGE_HALF", "1"}}, api), 5e-3);
  }
}

}  // namespace
}  // namespace mcpruner
