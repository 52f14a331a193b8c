#include "delegate/opencl/driver/device.h"

#include <algorithm>

namespace mcpruner::opencl {

Result<std::shared_ptr<const Device>> Device::Open(const OpenClApi& api, const DeviceInfo& info) {
  std::shared_ptr<Device> device(new Device(api, info));
  cl_int error = CL_SUCCESS;
  const cl_context context = device->api_.clCreateContext(nullptr, 1, &info.id, nullptr, nullptr, &error);
  MCPRUNER_RETURN_IF_ERROR(ClStatus(error, "opening device '" + info.name + "'"));
  device->context_ = ClContext(device->api_, context);
  return std::shared_ptr<const Device>(std::move(device));
}

Result<ClQueue> Device::MakeQueue(bool timed) const {
  cl_int error = CL_SUCCESS;
  const cl_command_queue_properties properties = timed ? CL_QUEUE_PROFILING_ENABLE : 0;
  const cl_command_queue queue = api_.clCreateCommandQueue(context(), info_.id, properties, &error);
  MCPRUNER_RETURN_IF_ERROR(ClStatus(error, "making a queue on '" + info_.name + "'"));
  return ClQueue(api_, queue);
}

Result<ClBuffer> Device::MakeBuffer(cl_mem_flags flags, int64_t bytes, const void* data) const {
  if (bytes > info_.max_buffer_bytes) {
    return Status::Error("a buffer of " + std::to_string(bytes) + " bytes is needed, '" + info_.name +
                         "' allows at most " + std::to_string(info_.max_buffer_bytes));
  }
  if (data != nullptr && bytes > 0) flags |= CL_MEM_COPY_HOST_PTR;
  const auto size = static_cast<size_t>(std::max<int64_t>(bytes, 1));
  void* const host = (flags & CL_MEM_COPY_HOST_PTR) != 0 ? const_cast<void*>(data) : nullptr;
  cl_int error = CL_SUCCESS;
  const cl_mem buffer = api_.clCreateBuffer(context(), flags, size, host, &error);
  MCPRUNER_RETURN_IF_ERROR(ClStatus(error, "allocating " + std::to_string(bytes) + " bytes on '" + info_.name + "'"));
  return ClBuffer(api_, buffer);
}

}  // namespace mcpruner::opencl
