// This is what `mcpruner devices` tells of OpenCL: each device, with the name of its tile table.

#ifndef MCPRUNER_PYTHON_NATIVE_OPENCL_DEVICES_H_
#define MCPRUNER_PYTHON_NATIVE_OPENCL_DEVICES_H_

#include <string>
#include <vector>

#include "delegate/base/status.h"
#include "delegate/opencl/driver/device_info.h"

namespace mcpruner {

struct OpenClDevice {
  opencl::DeviceInfo info;
  std::string tiles;
};

struct OpenClDevices {
  std::string library;
  std::vector<OpenClDevice> devices;  // the one that the backend takes comes first
};

// `library` is as option opencl_library. The error says that there is no library, or no platform.
Result<OpenClDevices> ListOpenClDevices(const std::string& library);

}  // namespace mcpruner

#endif  // MCPRUNER_PYTHON_NATIVE_OPENCL_DEVICES_H_
