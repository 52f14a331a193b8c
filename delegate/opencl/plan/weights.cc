#include "delegate/opencl/plan/weights.h"

#include <CL/cl_half.h>

#include "delegate/opencl/plan/packed_layer.h"

namespace mcpruner::opencl {
namespace {

std::vector<cl_half> RoundRuns(const std::vector<float>& values, size_t run) {
  std::vector<cl_half> halves;
  halves.reserve(values.size());
  float missing = 0;  // how much the run's sum lacks so far
  for (size_t i = 0; i < values.size(); ++i) {
    if (i % run == 0) missing = 0;
    const float wanted = values[i] + missing;
    halves.push_back(cl_half_from_float(wanted, CL_HALF_RTE));
    missing = wanted - cl_half_to_float(halves.back());
  }
  return halves;
}

}  // namespace

uint16_t ToHalf(float value) { return cl_half_from_float(value, CL_HALF_RTE); }

Result<DeviceWeights> UploadElements(const Device& device, Precision precision, const std::vector<float>& values,
                                     size_t run) {
  const std::vector<cl_half> halves =
      precision != Precision::kFloat32 ? RoundRuns(values, run) : std::vector<cl_half>();
  const void* const data = precision != Precision::kFloat32 ? static_cast<const void*>(halves.data()) : values.data();
  DeviceWeights weights;
  weights.bytes = static_cast<int64_t>(values.size()) * ElementBytes(precision);
  Result<ClBuffer> buffer = device.MakeBuffer(CL_MEM_READ_ONLY, weights.bytes, data);
  if (!buffer.ok()) return buffer.status();
  weights.buffer = std::move(*buffer);
  return weights;
}

Result<std::shared_ptr<const DeviceWeights>> WeightCache::Get(const Device& device, Precision precision,
                                                              const std::shared_ptr<const SparseLayer>& layer) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    entry = entry->second.layer.expired() ? entries_.erase(entry) : std::next(entry);
  }
  Entry& entry = entries_[layer.get()];
  if (entry.weights == nullptr) {
    Result<DeviceWeights> weights = UploadElements(device, precision, PackValues(*layer), 1);
    if (!weights.ok()) return weights.status();
    entry = {layer, std::make_shared<const DeviceWeights>(std::move(*weights))};
  }
  return entry.weights;
}

}  // namespace mcpruner::opencl
