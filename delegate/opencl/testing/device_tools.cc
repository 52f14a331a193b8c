#include "delegate/opencl/testing/device_tools.h"

#include <gtest/gtest.h>

#include <utility>

#include "delegate/graph/testing/graph_builder.h"

namespace mcpruner::opencl {
namespace {

std::shared_ptr<const Device> OpenFirst(const OpenClApi& api) {
  const auto info = ChooseDevice(api);
  EXPECT_TRUE(info.ok()) << info.message();
  auto device = Device::Open(api, *info);
  EXPECT_TRUE(device.ok()) << device.message();
  return *device;
}

}  // namespace

TestTools::TestTools(const OpenClApi& api, Precision precision, const Defines& defines)
    : device_(OpenFirst(api)),
      programs_(device_, defines, DiskCache("")),
      none_(DiskCache(""), device_->info(), precision) {
  tools_.device = device_;
  tools_.programs = &programs_;
  tools_.weights = &weights_;
  tools_.tiles = TilesFor(device_->info());
  tools_.precision = precision;
  tools_.tuned = &none_;
}

std::vector<float> TestTools::Run(const Graph& graph, const std::vector<float>& x) const {
  const auto executable = OpenClExecutable::Make(graph, tools_, 0);
  EXPECT_TRUE(executable.ok()) << executable.message();
  return RunPoisoned(**executable, graph, {x})[0];
}

}  // namespace mcpruner::opencl
