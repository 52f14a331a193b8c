// A Device is an opened OpenCL device: it has the context, and makes the objects that backends need.

#ifndef MCPRUNER_DELEGATE_OPENCL_DRIVER_DEVICE_H_
#define MCPRUNER_DELEGATE_OPENCL_DRIVER_DEVICE_H_

#include <memory>

#include "delegate/opencl/driver/api.h"
#include "delegate/opencl/driver/device_info.h"
#include "delegate/opencl/driver/handles.h"

namespace mcpruner::opencl {

class Device {
 public:
  static Result<std::shared_ptr<const Device>> Open(const OpenClApi& api, const DeviceInfo& info);

  const OpenClApi& api() const { return api_; }
  const DeviceInfo& info() const { return info_; }
  cl_context context() const { return context_.get(); }

  // Makes a queue that runs its commands in order. A `timed` queue times them.
  Result<ClQueue> MakeQueue(bool timed) const;
  // Makes a buffer of at least one byte. `data`, if it is given, has `bytes` bytes, which are copied.
  Result<ClBuffer> MakeBuffer(cl_mem_flags flags, int64_t bytes, const void* data = nullptr) const;

 private:
  Device(const OpenClApi& api, const DeviceInfo& info) : api_(api), info_(info) {}

  const OpenClApi api_;
  const DeviceInfo info_;
  ClContext context_;
};

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_DRIVER_DEVICE_H_
