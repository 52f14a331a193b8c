#include "delegate/opencl/run/queue_time.h"

#include <gtest/gtest.h>

#include "delegate/graph/testing/graph_builder.h"
#include "delegate/opencl/testing/agreement.h"
#include "delegate/opencl/testing/device_tools.h"

namespace mcpruner {
namespace {

TEST(QueueTimeTest, IsThatOfTheGraphsOps) {
  MCPRUNER_NEEDS_OPENCL();
  const opencl::TestTools tools(*opencl::LoadOpenCl(""), Precision::kFloat32, {{"STORAGE_HALF", "0"}});
  const auto executable = opencl::OpenClExecutable::Make(RandomGraph(3), *tools, 0);
  ASSERT_TRUE(executable.ok()) << executable.message();
  const Result<double> time = (*executable)->KernelTime(4);
  ASSERT_TRUE(time.ok()) << time.message();
  EXPECT_GT(*time, 0);
}

TEST(QueueTimeTest, IsAnErrorWhereTheQueueAlwaysRunsEmpty) {
  MCPRUNER_NEEDS_OPENCL();
  auto api = opencl::LoadOpenCl("");
  api->clGetEventInfo = [](cl_event, cl_event_info, size_t, void* state, size_t*) -> cl_int {
    *static_cast<cl_int*>(state) = CL_COMPLETE;
    return CL_SUCCESS;
  };
  const opencl::TestTools tools(*api, Precision::kFloat32, {{"STORAGE_HALF", "0"}});
  const auto executable = opencl::OpenClExecutable::Make(RandomGraph(3), *tools, 0);
  ASSERT_TRUE(executable.ok()) << executable.message();
  const Result<double> time = (*executable)->KernelTime(1);
  ASSERT_FALSE(time.ok());
  EXPECT_NE(time.message().find("ran out of work"), std::string::npos) << time.message();
}

TEST(QueueTimeTest, IsZeroWithoutLaunches) {
  MCPRUNER_NEEDS_OPENCL();
  const opencl::TestTools tools(*opencl::LoadOpenCl(""), Precision::kFloat32, {{"STORAGE_HALF", "0"}});
  const Result<double> time = opencl::QueueTime(*tools, {}, 4);
  ASSERT_TRUE(time.ok()) << time.message();
  EXPECT_EQ(*time, 0);
}

}  // namespace
}  // namespace mcpruner
