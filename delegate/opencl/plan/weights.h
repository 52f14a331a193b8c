// Weights are uploaded to the device once for each layer, and stay there for as long as the layer lives.

#ifndef MCPRUNER_DELEGATE_OPENCL_PLAN_WEIGHTS_H_
#define MCPRUNER_DELEGATE_OPENCL_PLAN_WEIGHTS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "delegate/graph/weights/sparse_layer.h"
#include "delegate/opencl/driver/device.h"
#include "delegate/opencl/plan/precision.h"

namespace mcpruner::opencl {

struct DeviceWeights {
  ClBuffer buffer;
  int64_t bytes = 0;
};

// Returns the nearest binary16.
uint16_t ToHalf(float value);

// Uploads `values` in the type in which the device keeps them. Halves are rounded so that the sum of each `run` of
// neighbours is kept: the inputs of a depthwise filter are alike, so the errors of its few weights would add up
// (docs/opencl.md). With a run of 1, each value is rounded to the nearest.
Result<DeviceWeights> UploadElements(const Device& device, Precision precision, const std::vector<float>& values,
                                     size_t run);

class WeightCache {
 public:
  // Returns PackValues of the layer on the device.
  Result<std::shared_ptr<const DeviceWeights>> Get(const Device& device, Precision precision,
                                                   const std::shared_ptr<const SparseLayer>& layer);

 private:
  struct Entry {
    std::weak_ptr<const SparseLayer> layer;
    std::shared_ptr<const DeviceWeights> weights;
  };
  std::mutex mutex_;
  std::map<const SparseLayer*, Entry> entries_;
};

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_PLAN_WEIGHTS_H_
