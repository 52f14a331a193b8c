#include "python/native/opencl_devices.h"

#include "delegate/opencl/plan/tiles.h"

namespace mcpruner {

Result<OpenClDevices> ListOpenClDevices(const std::string& library) {
  const Result<opencl::OpenClApi> api = opencl::LoadOpenCl(library);
  if (!api.ok()) return api.status();
  const Result<std::vector<opencl::DeviceInfo>> devices = opencl::ListDevices(*api);
  if (!devices.ok()) return devices.status();
  OpenClDevices found{api->library, {}};
  for (const opencl::DeviceInfo& device : *devices) found.devices.push_back({device, opencl::TilesFor(device).name});
  return found;
}

}  // namespace mcpruner
