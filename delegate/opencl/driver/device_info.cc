#include "delegate/opencl/driver/device_info.h"

#include <algorithm>
#include <cstdio>

namespace mcpruner::opencl {
namespace {

constexpr int64_t kLeastWorkGroup = 64;

// Returns a number, or 0 where the device does not tell.
template <typename T>
T Number(const OpenClApi& api, cl_device_id device, cl_device_info what) {
  T value{};
  return api.clGetDeviceInfo(device, what, sizeof value, &value, nullptr) == CL_SUCCESS ? value : T{};
}

template <typename Get, typename Object>
std::string Text(Get get, Object object, cl_uint what) {
  size_t size = 0;
  if (get(object, what, 0, nullptr, &size) != CL_SUCCESS || size == 0) return "";
  std::string text(size, '\0');
  if (get(object, what, size, text.data(), nullptr) != CL_SUCCESS) return "";
  text.resize(text.find_last_not_of(std::string(" \0", 2)) + 1);
  return text;
}

std::string TypeName(cl_device_type type) {
  if ((type & CL_DEVICE_TYPE_GPU) != 0) return "gpu";
  if ((type & CL_DEVICE_TYPE_ACCELERATOR) != 0) return "accelerator";
  return (type & CL_DEVICE_TYPE_CPU) != 0 ? "cpu" : "other";
}

int TypeRank(const DeviceInfo& device) {
  return device.type == "gpu" ? 0 : device.type == "accelerator" ? 1 : device.type == "cpu" ? 2 : 3;
}

std::string WhyUnusable(const OpenClApi& api, const DeviceInfo& device) {
  int major = 0, minor = 0;
  const std::string language = Text(api.clGetDeviceInfo, device.id, CL_DEVICE_OPENCL_C_VERSION);
  if (Number<cl_bool>(api, device.id, CL_DEVICE_AVAILABLE) == CL_FALSE) return "the device is not available";
  if (Number<cl_bool>(api, device.id, CL_DEVICE_COMPILER_AVAILABLE) == CL_FALSE) return "its driver has no compiler";
  if (std::sscanf(language.c_str(), "OpenCL C %d.%d", &major, &minor) != 2 || major * 10 + minor < 12) {
    return "it speaks '" + language + "', OpenCL C 1.2 is needed";
  }
  if (device.max_work_group < kLeastWorkGroup) {
    return "its work-groups have at most " + std::to_string(device.max_work_group) + " items, " +
           std::to_string(kLeastWorkGroup) + " are needed";
  }
  return "";
}

DeviceInfo Describe(const OpenClApi& api, const std::string& platform, cl_device_id id) {
  DeviceInfo device;
  device.id = id;
  device.platform = platform;
  device.name = Text(api.clGetDeviceInfo, id, CL_DEVICE_NAME);
  device.vendor = Text(api.clGetDeviceInfo, id, CL_DEVICE_VENDOR);
  device.version = Text(api.clGetDeviceInfo, id, CL_DEVICE_VERSION);
  device.driver = Text(api.clGetDeviceInfo, id, CL_DRIVER_VERSION);
  device.type = TypeName(Number<cl_device_type>(api, id, CL_DEVICE_TYPE));
  device.compute_units = static_cast<int>(Number<cl_uint>(api, id, CL_DEVICE_MAX_COMPUTE_UNITS));
  device.max_work_group = static_cast<int64_t>(Number<size_t>(api, id, CL_DEVICE_MAX_WORK_GROUP_SIZE));
  device.memory_bytes = static_cast<int64_t>(Number<cl_ulong>(api, id, CL_DEVICE_GLOBAL_MEM_SIZE));
  device.max_buffer_bytes = static_cast<int64_t>(Number<cl_ulong>(api, id, CL_DEVICE_MAX_MEM_ALLOC_SIZE));
  device.local_bytes = static_cast<int64_t>(Number<cl_ulong>(api, id, CL_DEVICE_LOCAL_MEM_SIZE));
  const std::string extensions = " " + Text(api.clGetDeviceInfo, id, CL_DEVICE_EXTENSIONS) + " ";
  device.half_arithmetic = extensions.find(" cl_khr_fp16 ") != std::string::npos;
  device.unusable = WhyUnusable(api, device);
  return device;
}

}  // namespace

std::string DeviceKey(const DeviceInfo& device) {
  std::string key;
  for (const std::string* part : {&device.platform, &device.vendor, &device.name, &device.version, &device.driver}) {
    key += *part + '\n';
  }
  return key;
}

Result<std::vector<DeviceInfo>> ListDevices(const OpenClApi& api) {
  cl_uint count = 0;
  // Some loaders return an error, others a count of zero.
  const cl_int error = api.clGetPlatformIDs(0, nullptr, &count);
  if (error != CL_SUCCESS || count == 0) {
    return Status::Error(api.library + " knows no OpenCL platform" +
                         (error != CL_SUCCESS ? " (" + ClErrorName(error) + ")" : "") + ", install a driver");
  }
  std::vector<cl_platform_id> platforms(count);
  MCPRUNER_RETURN_IF_ERROR(ClStatus(api.clGetPlatformIDs(count, platforms.data(), nullptr), "clGetPlatformIDs"));
  std::vector<DeviceInfo> devices;
  for (const cl_platform_id platform : platforms) {
    cl_uint num_devices = 0;
    if (api.clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, nullptr, &num_devices) != CL_SUCCESS) continue;
    std::vector<cl_device_id> ids(num_devices);
    if (api.clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, num_devices, ids.data(), nullptr) != CL_SUCCESS) continue;
    const std::string name = Text(api.clGetPlatformInfo, platform, CL_PLATFORM_NAME);
    for (const cl_device_id id : ids) devices.push_back(Describe(api, name, id));
  }
  std::stable_sort(devices.begin(), devices.end(), [](const DeviceInfo& a, const DeviceInfo& b) {
    return a.unusable.empty() != b.unusable.empty() ? a.unusable.empty() : TypeRank(a) < TypeRank(b);
  });
  return devices;
}

Result<DeviceInfo> ChooseDevice(const OpenClApi& api) {
  const Result<std::vector<DeviceInfo>> devices = ListDevices(api);
  if (!devices.ok()) return devices.status();
  if (devices->empty()) return Status::Error("the OpenCL platforms of " + api.library + " have no device");
  const DeviceInfo& first = devices->front();
  if (first.unusable.empty()) return first;
  return Status::Error("no OpenCL device can be used; " + first.name + ": " + first.unusable);
}

}  // namespace mcpruner::opencl
