#include "delegate/opencl/weights.h"

#include <CL/cl_half.h>

#include "delegate/opencl/packed_layer.h"

namespace mcpruner::opencl {

Result<DeviceWeights> UploadElements(const Device& device, Precision precision, const std::vector<float>& values) {
  std::vector<cl_half> halves;
  const void* data = values.data();
  if (precision != Precision::kFloat32) {
    halves.reserve(values.size());
    for (const float value : values) halves.push_back(cl_half_from_float(value, CL_HALF_RTE));
    data = halves.data();
  }
  DeviceWeights weights;
  weights.bytes = static_cast<int64_t>(values.size()) * ElementBytes(precision);
  Result<ClBuffer> buffer = device.MakeBuffer(CL_MEM_READ_ONLY, weights.bytes, data);
  if (!buffer.ok()) return buffer.status();
  weights.buffer = std::move(*buffer);
  return weights;
}

Result<std::shared_ptr<const DeviceWeights>> WeightCache::Get(const Device& device, Precision precision,
                                                              const std::shared_ptr<const SparseLayer>& layer) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    entry = entry->second.layer.expired() ? entries_.erase(entry) : std::next(entry);
  }
  Entry& entry = entries_[layer.get()];
  if (entry.weights == nullptr) {
    Result<DeviceWeights> weights = UploadElements(device, precision, PackValues(*layer));
    if (!weights.ok()) return weights.status();
    entry = {layer, std::make_shared<const DeviceWeights>(std::move(*weights))};
  }
  return entry.weights;
}

}  // namespace mcpruner::opencl
