// What OpenCL devices there are, and which can be used.
//
// Usable is a device that is available, has a compiler, speaks OpenCL C 1.2 and takes work-groups of 64 items. GPUs
// come first, then accelerators, then CPUs (PoCL), each in the order of the platforms.

#ifndef MCPRUNER_DELEGATE_OPENCL_DRIVER_DEVICE_INFO_H_
#define MCPRUNER_DELEGATE_OPENCL_DRIVER_DEVICE_INFO_H_

#include <cstdint>
#include <string>
#include <vector>

#include "delegate/opencl/driver/api.h"

namespace mcpruner::opencl {

struct DeviceInfo {
  cl_device_id id = nullptr;
  std::string platform, name, vendor, version, driver;  // as OpenCL names them
  std::string type;                                     // "gpu", "accelerator", "cpu", "other"
  int compute_units = 0;
  int64_t max_work_group = 0;
  int64_t memory_bytes = 0, max_buffer_bytes = 0, local_bytes = 0;
  bool half_arithmetic = false;  // cl_khr_fp16
  std::string unusable;          // why, one sentence; empty for a usable one
};

// What programs and measurements of a device depend on, a line each.
std::string DeviceKey(const DeviceInfo& device);

// Of all platforms, usable ones first. The error says that there is no platform; a platform without devices adds none.
Result<std::vector<DeviceInfo>> ListDevices(const OpenClApi& api);

// The first usable device; the error says why there is none.
Result<DeviceInfo> ChooseDevice(const OpenClApi& api);

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_DRIVER_DEVICE_INFO_H_
