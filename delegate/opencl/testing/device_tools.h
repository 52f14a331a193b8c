// TestTools are DeviceTools without a backend around them, so that tests may set what a backend takes from tables.

#ifndef MCPRUNER_DELEGATE_OPENCL_TESTING_DEVICE_TOOLS_H_
#define MCPRUNER_DELEGATE_OPENCL_TESTING_DEVICE_TOOLS_H_

#include <vector>

#include "delegate/opencl/run/executable.h"

namespace mcpruner::opencl {

class TestTools {
 public:
  // Opens the first device of `api`. The test fails where it cannot be opened.
  TestTools(const OpenClApi& api, Precision precision, const Defines& defines);

  DeviceTools* operator->() { return &tools_; }
  const DeviceTools& operator*() const { return tools_; }
  // Returns the first output of a graph of one input. The test fails on an error.
  std::vector<float> Run(const Graph& graph, const std::vector<float>& x) const;

 private:
  const std::shared_ptr<const Device> device_;
  Programs programs_;
  WeightCache weights_;
  const TunedTiles none_;
  DeviceTools tools_;
};

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_TESTING_DEVICE_TOOLS_H_
