// These tests run the micro-kernels in Oclgrind, a simulator that sees every access of every work-item: bad addresses
// and data races. First it must see those that are planted. (Its check for uninitialized memory does not know the
// compiler's `freeze`.)

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "delegate/base/relative_error.h"
#include "delegate/cpu/reference_backend.h"
#include "delegate/graph/testing/graph_builder.h"
#include "delegate/graph/testing/random_layer.h"
#include "delegate/opencl/driver/launch.h"
#include "delegate/opencl/opencl_backend.h"
#include "delegate/opencl/testing/agreement.h"
#include "delegate/opencl/testing/device_tools.h"

namespace mcpruner {
namespace {

constexpr char kLibrary[] = "/usr/lib/oclgrind/liboclgrind-rt.so";  // Debian's

class OclgrindTest : public ::testing::Test {
 protected:
  void SetUp() override {
    log_ = ::testing::TempDir() + "/oclgrind.log";
    setenv("OCLGRIND_LOG", log_.c_str(), 1);
    setenv("OCLGRIND_DATA_RACES", "1", 1);
    setenv("OCLGRIND_MAX_ERRORS", "100000", 1);
    // Debian's package is not there, or is one for another processor than qemu's.
    if (const auto api = opencl::LoadOpenCl(kLibrary); !api.ok()) GTEST_SKIP() << "not run: " << api.message();
  }

  // Returns what Oclgrind has said in this test; each context begins the file anew.
  std::string Log() const {
    std::ifstream file(log_);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  // Runs one micro-kernel of 8 items in groups of 4 on a buffer of 8 ints.
  void RunPlanted(const char* source) {
    const auto api = opencl::LoadOpenCl(kLibrary);
    ASSERT_TRUE(api.ok()) << api.message();
    const auto info = opencl::ChooseDevice(*api);
    ASSERT_TRUE(info.ok()) << info.message();
    const auto opened = opencl::Device::Open(*api, *info);
    ASSERT_TRUE(opened.ok()) << opened.message();
    const opencl::Device& device = **opened;
    const std::vector<int> zeros(8);
    auto buffer = device.MakeBuffer(CL_MEM_READ_WRITE, 32, zeros.data());
    auto queue = device.MakeQueue(false);
    ASSERT_TRUE(buffer.ok() && queue.ok());
    const opencl::OpenClApi& cl = device.api();
    const opencl::ClProgram program(cl, cl.clCreateProgramWithSource(device.context(), 1, &source, nullptr, nullptr));
    ASSERT_EQ(cl.clBuildProgram(program.get(), 1, &info->id, "", nullptr, nullptr), CL_SUCCESS);
    opencl::Launch launch{{cl, cl.clCreateKernel(program.get(), "planted", nullptr)}, {{8, 1}, {4, 1}}, "planted"};
    ASSERT_TRUE(opencl::SetArgs(cl, launch.kernel.get(), 0, buffer->get()).ok());
    ASSERT_TRUE(opencl::Enqueue(cl, queue->get(), launch, nullptr).ok());
    ASSERT_EQ(cl.clFinish(queue->get()), CL_SUCCESS);
  }

  // Compares the graph with the reference, under Oclgrind.
  void ExpectClean(const Graph& graph, Precision precision = Precision::kFloat32) {
    OpenClOptions options;
    options.library = kLibrary;
    options.precision = precision;
    const auto backend = CreateOpenClBackend(options);
    ASSERT_TRUE(backend.ok()) << backend.message();
    ExpectAgreement(**backend, graph, 1, precision == Precision::kFloat32 ? 2e-5 : 5e-3);
    EXPECT_EQ(Log(), "");
  }

 private:
  std::string log_;
};

TEST_F(OclgrindTest, SeesPlantedFaults) {
  RunPlanted("kernel void planted(global int* x) { x[get_global_id(0) + 1] = 1; }");
  EXPECT_NE(Log().find("Invalid write of size 4"), std::string::npos) << Log();
  RunPlanted("kernel void planted(global int* x) { x[get_local_id(0)] = get_group_id(0); }");
  EXPECT_NE(Log().find("data race"), std::string::npos) << Log();
  RunPlanted("kernel void planted(global int* x) { x[get_global_id(0)] = 1; }");
  EXPECT_EQ(Log(), "");
}

TEST_F(OclgrindTest, ConvolutionsAreClean) {
  std::mt19937 rng(1);
  for (const int group_size : {1, 2, 4, 8}) {
    GraphBuilder b;
    const auto layer = RandomLayer(rng, LayerKind::kConv2D, {10, 3, 3, 40}, group_size, 4, 0.9);
    const int y = b.Op(OpType::kConv, {b.Input({2, 7, 5, 40})}, ConvParams{{2, 1, 1, 1, {1, 1, 1, 1}}, layer});
    ExpectClean(b.Finish({y}));
  }
}

TEST_F(OclgrindTest, StagedConvolutionsAreClean) {
  for (const int num_patterns : {0, 4}) {  // columns of 3 taps, and of 1
    std::mt19937 rng(1);
    const auto layer = RandomLayer(rng, LayerKind::kConv2D, {10, 3, 3, 40}, 4, num_patterns, 0.9);
    GraphBuilder b;
    const Graph graph =
        b.Finish({b.Op(OpType::kConv, {b.Input({1, 7, 5, 40})}, ConvParams{{1, 1, 1, 1, {1, 1, 1, 1}}, layer})});
    const std::vector<float> x = RandomFloats(rng, graph.tensor(graph.inputs[0]).shape.size());
    opencl::TestTools tools(*opencl::LoadOpenCl(kLibrary), Precision::kFloat32, {});
    tools->tiles.staged = 1;
    tools->conv_tile = {16, 2, 2};
    EXPECT_LT(RelativeError(tools.Run(graph, x), RunGraph(*CreateReferenceBackend(), graph, {x})[0]), 2e-5);
    EXPECT_EQ(Log(), "");
  }
}

TEST_F(OclgrindTest, EveryOtherKernelIsClean) {
  for (uint32_t seed = 0; seed < 6; ++seed) ExpectClean(RandomGraph(seed));
  ExpectClean(RandomGraph(6), Precision::kFloat16Storage);
}

}  // namespace
}  // namespace mcpruner
