// This lists the OpenCL devices of a machine and says which can be used.
//
// A device is usable if it is available, has a compiler, speaks OpenCL C 1.2 and takes work-groups of 64 items. GPUs
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
  std::string unusable;          // one sentence that says why; empty for a usable device
};

// Returns everything that programs for a device, and measurements of it, depend on, a line each.
std::string DeviceKey(const DeviceInfo& device);

// Lists the devices of all platforms, usable ones first. The error says that there is no platform; a platform without
// devices adds none.
Result<std::vector<DeviceInfo>> ListDevices(const OpenClApi& api);

// Returns the first usable device. The error says why there is none.
Result<DeviceInfo> ChooseDevice(const OpenClApi& api);

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_DRIVER_DEVICE_INFO_H_
