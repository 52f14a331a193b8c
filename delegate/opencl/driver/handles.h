// A ClHandle owns an OpenCL object and releases it when the handle goes.
//
// It refers to the OpenClApi that made the object, which must outlive it (Device keeps one).

#ifndef MCPRUNER_DELEGATE_OPENCL_DRIVER_HANDLES_H_
#define MCPRUNER_DELEGATE_OPENCL_DRIVER_HANDLES_H_

#include <utility>

#include "delegate/opencl/driver/api.h"

namespace mcpruner::opencl {

template <typename T, cl_int (CL_API_CALL* OpenClApi::*kRelease)(T)>
class ClHandle {
 public:
  ClHandle() = default;
  ClHandle(const OpenClApi& api, T object) : api_(&api), object_(object) {}
  ClHandle(ClHandle&& other) noexcept : api_(other.api_), object_(std::exchange(other.object_, nullptr)) {}
  ClHandle& operator=(ClHandle&& other) noexcept {
    std::swap(api_, other.api_);
    std::swap(object_, other.object_);
    return *this;
  }
  ~ClHandle() {
    if (object_ != nullptr) (api_->*kRelease)(object_);
  }

  T get() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  const OpenClApi* api_ = nullptr;
  T object_ = nullptr;
};

using ClContext = ClHandle<cl_context, &OpenClApi::clReleaseContext>;
using ClQueue = ClHandle<cl_command_queue, &OpenClApi::clReleaseCommandQueue>;
using ClBuffer = ClHandle<cl_mem, &OpenClApi::clReleaseMemObject>;
using ClProgram = ClHandle<cl_program, &OpenClApi::clReleaseProgram>;
using ClKernel = ClHandle<cl_kernel, &OpenClApi::clReleaseKernel>;
using ClEvent = ClHandle<cl_event, &OpenClApi::clReleaseEvent>;

}  // namespace mcpruner::opencl

#endif  // MCPRUNER_DELEGATE_OPENCL_DRIVER_HANDLES_H_
